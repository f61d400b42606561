"""A draft: a case that waits for a person, with where it comes from; and the files drafts are kept in."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from io import BytesIO
from pathlib import Path

import msgspec

from evalwright.core.case import Case, Json
from evalwright.core.errors import ConfigError, Problem
from evalwright.store.files import write_atomic


class DraftState(StrEnum):
    """What a person decided."""

    DRAFT = "draft"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Relation(StrEnum):
    """What a perturbed case expects, against the case it was made from."""

    SAME = "same"
    """The same answer as before."""
    CHANGED = "changed"
    """Another answer than before."""


class Origin(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a draft comes from.

    Attributes:
        kind: The template or perturbation that made it: `definition`, `typos`, `needle` …
        file: Document or dataset it was made from.
        line: Line of the document, from 1.
        of: Id of the case it was made from.
        seed: Seed of the generator.
        detail: What was done, in words.
        model: The model that wrote it; empty for templates.
        prompt_hash: Identity of what the model was asked.
        quote: Words of the document it rests on, as they stand there.
    """

    kind: str
    file: str = ""
    line: int = 0
    of: str = ""
    seed: int | None = None
    detail: str = ""
    model: str = ""
    prompt_hash: str = ""
    quote: str = ""


class Draft(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A case that waits for a person.

    The case is nested, so that a file of drafts can't be taken for a dataset.

    Attributes:
        draft: The case as it would be.
        state: What a person decided.
        origin: Where it comes from.
        relation: For perturbed cases: the same answer, or another one.
        by: Who decided.
        at: When, seconds since the epoch.
        note: Why.
    """

    draft: Case
    origin: Origin
    state: DraftState = DraftState.DRAFT
    relation: Relation | None = None
    by: str = ""
    at: float | None = None
    note: str = ""

    def released(self) -> Case:
        """The case with its origin and its reviewer in the metadata.

        Raises:
            ValueError: Nobody has accepted it.
        """
        if self.state is not DraftState.ACCEPTED:
            raise ValueError(f"the draft `{self.draft.id}` is {self.state.value}, not accepted")
        origin: dict[str, Json] = msgspec.to_builtins(self.origin)
        return msgspec.structs.replace(
            self.draft, metadata={**self.draft.metadata, "origin": origin, "accepted_by": self.by}
        )


def write_drafts(path: Path, drafts: Iterable[Draft]) -> int:
    """Write drafts as JSON lines, state and case first to be read; returns how many.

    Raises:
        StoreError: The file can't be written.
    """
    file, count = BytesIO(), 0
    for draft in drafts:
        record = msgspec.to_builtins(draft)
        file.write(msgspec.json.encode({"state": draft.state.value, **record}) + b"\n")
        count += 1
    write_atomic(path, file.getvalue())
    return count


def read_drafts(path: Path) -> list[Draft]:
    """Drafts of a file, as a person may have edited it.

    Raises:
        ConfigError: The file is not there, or lines are no drafts; all of them are named.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        problem = Problem(message=f"the drafts can't be read: {error.strerror}", file=str(path))
        raise ConfigError([problem]) from error
    found: list[Draft] = []
    problems: list[Problem] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found.append(msgspec.json.decode(line, type=Draft))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            message = f"this line is no draft: {error}"
            problems.append(Problem(message=message, file=str(path), line=number, column=1))
    if problems:
        raise ConfigError(problems[:20])
    return found
