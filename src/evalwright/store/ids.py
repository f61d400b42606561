"""Many ids in little memory: eight bytes of hash each instead of a string object."""

from __future__ import annotations

import hashlib
from array import array

_EMPTY = -1


def id_hash(case_id: str) -> int:
    """The first 8 bytes of the id's BLAKE2b hash, as an unsigned number.

    Among a million ids two share a hash with probability 3e-8.
    """
    return int.from_bytes(hashlib.blake2b(case_id.encode(), digest_size=8).digest(), "little")


class IdTable:
    """Ids seen so far with a number each, in about 30 bytes an id: open addressing over flat arrays."""

    def __init__(self) -> None:
        self.hashes = array("Q")
        self._numbers = array("Q")
        self._slots = array("i", [_EMPTY]) * 1024

    def __len__(self) -> int:
        return len(self.hashes)

    def add(self, case_id: str, number: int) -> int | None:
        """Note an id under a number; when it was seen before, change nothing and return the number it had."""
        digest = id_hash(case_id)
        slot = self._find(digest)
        found = self._slots[slot]
        if found != _EMPTY:
            return self._numbers[found]
        self._slots[slot] = len(self.hashes)
        self.hashes.append(digest)
        self._numbers.append(number)
        if 2 * len(self.hashes) > len(self._slots):
            self._grow()
        return None

    def _find(self, digest: int) -> int:
        """The slot that holds a hash, or the free one where it belongs."""
        slots, hashes, mask = self._slots, self.hashes, len(self._slots) - 1
        slot = digest & mask
        while slots[slot] != _EMPTY and hashes[slots[slot]] != digest:
            slot = (slot + 1) & mask
        return slot

    def _grow(self) -> None:
        self._slots = array("i", [_EMPTY]) * (4 * len(self._slots))
        for position, digest in enumerate(self.hashes):
            self._slots[self._find(digest)] = position
