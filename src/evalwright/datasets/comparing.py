"""Two versions of a set, case by case, and texts word by word."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

import msgspec
import numpy as np

from evalwright.core.case import Case, Json
from evalwright.core.identity import canonical_json
from evalwright.store.cases import CaseFile, IndexArray

FIELDS = ("input", "expected", "metadata", "cluster", "tags")
MAX_WORDS = 20_000
_WORD = re.compile(r"\w+|\s+|[^\w\s]")


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A case that is in both versions with different content.

    Attributes:
        id: Id of the case.
        fields: By dotted path, the value before and after; None for nothing.
    """

    id: str
    fields: dict[str, tuple[Json, Json]]


class CaseDiff:
    """Which cases two versions do not share. Memory grows with the number of cases by a few dozen bytes each.

    Attributes:
        added: Indices in the later version of cases the earlier has not.
        removed: Indices in the earlier version of cases the later has not.
        changed: Pairs of indices (earlier, later) of cases with other content, shape (changed, 2).
    """

    def __init__(self, before: CaseFile, after: CaseFile) -> None:
        self._before = before
        self._after = after
        old, new = before.id_hashes, after.id_hashes
        common, left, right = np.intersect1d(old, new, assume_unique=True, return_indices=True)
        del common
        self.added: IndexArray = np.flatnonzero(~np.isin(new, old, assume_unique=True))
        self.removed: IndexArray = np.flatnonzero(~np.isin(old, new, assume_unique=True))
        differs = before.case_hashes[left] != after.case_hashes[right]
        pairs = np.stack([left[differs], right[differs]], axis=1)
        self.changed: IndexArray = pairs[np.argsort(pairs[:, 1], kind="stable")]

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many cases were added, changed, removed."""
        return len(self.added), len(self.changed), len(self.removed)

    def added_cases(self) -> Iterator[Case]:
        """The cases that are new."""
        return (self._after[int(index)] for index in self.added)

    def removed_cases(self) -> Iterator[Case]:
        """The cases that are gone."""
        return (self._before[int(index)] for index in self.removed)

    def changes(self) -> Iterator[Change]:
        """The cases that changed, field by field."""
        for before, after in self.changed:
            yield change_of(self._before[int(before)], self._after[int(after)])


def change_of(before: Case, after: Case) -> Change:
    """What differs between two states of a case.

    Example:
        >>> change_of(Case(id="a", input={"q": 1, "l": "de"}), Case(id="a", input={"q": 2, "l": "de"})).fields
        {'input.q': (1, 2)}
    """
    fields: dict[str, tuple[Json, Json]] = {}
    for name in FIELDS:
        _compare(name, getattr(before, name), getattr(after, name), fields)
    return Change(id=after.id, fields=fields)


def _compare(path: str, before: Json, after: Json, found: dict[str, tuple[Json, Json]]) -> None:
    if canonical_json(before) == canonical_json(after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys([*before, *after]):
            _compare(f"{path}.{key}", before.get(key), after.get(key), found)
    else:
        found[path] = (before, after)


def word_diff(before: str, after: str) -> list[tuple[str, str]]:
    """Pieces of two texts: `=` what is in both, `-` what is gone, `+` what is new, word by word.

    Texts of more than 20,000 words are compared line by line.

    Example:
        >>> word_diff("pay by card", "pay by bank card")
        [('=', 'pay by '), ('+', 'bank '), ('=', 'card')]
    """
    old, new = _pieces(before), _pieces(after)
    if len(old) + len(new) > MAX_WORDS:
        old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    found: list[tuple[str, str]] = []
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=len(old) > 2_000)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            found.append(("=", "".join(old[a:b])))
            continue
        found += [("-", "".join(old[a:b]))] if b > a else []
        found += [("+", "".join(new[c:d]))] if d > c else []
    return found


def _pieces(text: str) -> list[str]:
    return _WORD.findall(text)
