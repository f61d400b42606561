"""Stored answers: the port, and the key under which an answer is kept."""

from __future__ import annotations

import hashlib
from typing import Protocol

from evalwright.core.identity import canonical_json
from evalwright.core.output import Output
from evalwright.core.target import TargetCall


class AnswerCache(Protocol):
    """Answers by key. `open` and `close` bracket a run in each process; the others must be quick."""

    def open(self) -> None:
        """Acquire files; called once in each worker process."""
        ...

    def close(self) -> None:
        """Write what is pending and release everything; safe to call twice."""
        ...

    def get(self, key: str) -> Output | None:
        """The answer stored under a key, None when there is none (or it is too old)."""
        ...

    def put(self, key: str, output: Output) -> None:
        """Keep an answer; may be written a little later."""
        ...


def cache_key(target_digest: str, call: TargetCall) -> str:
    """Key of an answer: hash of everything the target is given and of its configuration.

    Targets describe themselves without secrets, so none can be in a key.
    """
    request = [target_digest, call.input, call.metadata, call.trial, call.seed]
    return hashlib.sha256(canonical_json(request)).hexdigest()
