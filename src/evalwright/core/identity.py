"""Content hashes: what makes two cases, suites or targets the same."""

from __future__ import annotations

import hashlib

import msgspec

from evalwright.core.case import Case, Json

_canonical = msgspec.json.Encoder(order="deterministic")


def canonical_json(value: object) -> bytes:
    """One byte string per JSON value: keys sorted, no spaces; structs and plain values alike."""
    return _canonical.encode(value)


def content_hash(value: object) -> str:
    """SHA-256 of the canonical JSON, as 64 hex digits.

    Example:
        >>> content_hash({"b": 1, "a": 2}) == content_hash({"a": 2, "b": 1})
        True
    """
    return hashlib.sha256(canonical_json(value)).hexdigest()


def short_hash(value: object) -> str:
    """The first 16 hex digits of `content_hash`, for keys within one workspace."""
    return content_hash(value)[:16]


def case_hash(case: Case) -> str:
    """Identity of a case by content: all its fields, so that a changed expectation is a changed case."""
    return short_hash(case)


def content_id(input_value: Json) -> str:
    """The id given to a case whose author gave none: from its input, never from its position."""
    return "c-" + content_hash(input_value)[:12]


def unit_key(case_digest: str, trial: int, target_digest: str) -> str:
    """Identity of one unit of work (a case's trial on a target), the idempotency key of its calls."""
    return hashlib.sha256(f"{case_digest}/{trial}/{target_digest}".encode()).hexdigest()[:32]


def derived_seed(seed: int, case_id: str, trial: int) -> int:
    """A seed for one case and trial, the same whatever the order of work; 0 to 2**31 - 1."""
    digest = hashlib.sha256(f"{seed}/{case_id}/{trial}".encode()).digest()
    return int.from_bytes(digest[:4], "big") & 0x7FFFFFFF
