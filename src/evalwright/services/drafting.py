"""Drafts of cases made, kept in a file of their own, decided on by a person, and only then written as cases."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from evalwright.core.case import BadRow, Case
from evalwright.core.errors import UsageError
from evalwright.datasets.drafting import (
    Draft,
    DraftState,
    Needle,
    NeedleGrid,
    document_drafts,
    needle_drafts,
    perturbed,
    read_documents,
    read_drafts,
    write_drafts,
)
from evalwright.datasets.drafting.asked import Task, change_tasks, question_tasks
from evalwright.models.asking import ModelClient
from evalwright.services.golden import author, rows_of_file
from evalwright.services.model_drafting import Asked, Limitation, ask_all
from evalwright.store.files import write_atomic


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Drafts that were made.

    Attributes:
        drafts: The drafts.
        left_out: Changes that did not apply to a case.
        bad_rows: Rows of the source that are no cases.
        asked: What asking a model came to; None when none was asked.
    """

    drafts: list[Draft]
    left_out: int = 0
    bad_rows: list[BadRow] = field(default_factory=list)
    asked: Asked | None = None

    @property
    def kinds(self) -> dict[str, int]:
        """How many of each kind."""
        return dict(Counter(draft.origin.kind for draft in self.drafts))


def from_documents(place: Path, *, most: int | None = None, seed: int = 0, kinds: Sequence[str] = ()) -> Made:
    """Questions, expected facts and sources from the documents of a folder.

    Raises:
        UsageError: There is no document.
    """
    return Made(drafts=document_drafts(read_documents(place), most=most, seed=seed, kinds=kinds))


def from_cases(file: Path, kinds: Sequence[str], *, seed: int = 0, field: str | None = None) -> Made:
    """Perturbed cases with what must follow from the change.

    Raises:
        ConfigError: The file can't be read.
        UsageError: A kind is unknown.
    """
    rows = list(rows_of_file(file))
    cases = [row for row in rows if isinstance(row, Case)]
    drafts, left = perturbed(cases, kinds, seed=seed, field=field, source=file.name)
    return Made(drafts=drafts, left_out=left, bad_rows=[row for row in rows if isinstance(row, BadRow)])


def questions_by_model(place: Path, client: ModelClient, limits: Limitation, *, each: int = 3, seed: int = 0) -> Made:
    """Questions, expected facts and quoted sources that a model writes from the documents of a folder.

    Args:
        place: The documents.
        client: Asks the model.
        limits: How much may be asked.
        each: Questions per section at most.
        seed: Seed of the order of sections.

    Raises:
        UsageError: There is no document, or none with text.
    """
    tasks = question_tasks(read_documents(place), most=each, seed=seed)
    if not tasks:
        raise UsageError("the documents have no section with text to ask about")
    asked = ask_all(tasks, client, limits)
    return Made(drafts=asked.drafts, asked=asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Changes of cases a model makes.

    Attributes:
        kinds: Names of `MODEL_KINDS`.
        languages: Languages of translations.
        field: Field of the input that is changed; found by its name when None.
    """

    kinds: tuple[str, ...]
    languages: tuple[str, ...] = ()
    field: str | None = None


def changes_by_model(file: Path, client: ModelClient, limits: Limitation, change: Change) -> Made:
    """Paraphrases, translations and contrasts of cases that a model writes.

    Raises:
        ConfigError: The file can't be read.
        UsageError: A translation is wanted into no language.
    """
    if "translation" in change.kinds and not change.languages:
        raise UsageError("a translation needs a language", hint="--language German")
    rows = list(rows_of_file(file))
    cases = [row for row in rows if isinstance(row, Case)]
    tasks: list[Task] = []
    left = 0
    for kind in change.kinds:
        for language in change.languages if kind == "translation" else ("",):
            found, missing = change_tasks(cases, (kind,), language=language, field=change.field, source=file.name)
            tasks += found
            left += missing
    asked = ask_all(tasks, client, limits)
    bad = [row for row in rows if isinstance(row, BadRow)]
    return Made(drafts=asked.drafts, left_out=left, bad_rows=bad, asked=asked)


def needles(place: Path, grid: NeedleGrid, needle: Needle | None = None) -> Made:
    """Needles hidden in the text of documents.

    Raises:
        UsageError: There is no document, or the grid is out of range.
    """
    return Made(drafts=needle_drafts(read_documents(place), grid, needle))


def keep(drafts: Sequence[Draft], path: Path) -> int:
    """Add drafts to a file of drafts; those whose id is there already are left as they are. Returns how many are new.

    Raises:
        ConfigError: The file exists and holds something else.
    """
    known = read_drafts(path) if path.exists() else []
    ids = {draft.draft.id for draft in known}
    new = [draft for draft in drafts if draft.draft.id not in ids]
    write_drafts(path, [*known, *new])
    return len(new)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A person's decision on drafts.

    Attributes:
        state: Accepted or rejected.
        by: Who decides; the author of the environment when None.
        note: Why.
    """

    state: DraftState
    by: str | None = None
    note: str = ""


def decide(path: Path, ids: Collection[str], verdict: Verdict, *, now: float | None = None) -> int:
    """Accept or reject drafts of a file by id; returns how many.

    Raises:
        UsageError: An id is not in the file.
    """
    drafts = read_drafts(path)
    wanted = set(ids)
    if missing := wanted - {draft.draft.id for draft in drafts}:
        raise UsageError(f"{path} has no draft `{min(missing)}`", hint=f"evalwright draft list {path}")
    by, at = verdict.by or author(), time.time() if now is None else now
    decided = [
        msgspec.structs.replace(draft, state=verdict.state, by=by, at=at, note=verdict.note)
        if draft.draft.id in wanted
        else draft
        for draft in drafts
    ]
    write_drafts(path, decided)
    return len(wanted)


def release(path: Path, out: Path) -> int:
    """Write the accepted drafts of a file as cases, with origin and reviewer in their metadata; returns how many.

    Raises:
        UsageError: None is accepted, the file exists, or an accepted draft names nobody who accepted it.
    """
    accepted = [draft for draft in read_drafts(path) if draft.state is DraftState.ACCEPTED]
    if not accepted:
        raise UsageError(f"no draft in {path} is accepted", hint=f"evalwright draft accept {path} ID")
    if nobody := [draft.draft.id for draft in accepted if not draft.by.strip()]:
        raise UsageError(f"the draft `{nobody[0]}` is accepted by nobody", hint="name the person in `by`")
    if out.exists():
        raise UsageError(f"{out} exists already", hint="name a new file, and add it to a set with `dataset add`")
    write_atomic(out, b"".join(msgspec.json.encode(draft.released()) + b"\n" for draft in accepted))
    return len(accepted)
