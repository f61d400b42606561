"""Questions with expected facts and their source, made from documents by templates.

The templates are English; headings that are questions, and lists under headings, work in other languages too.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import re2

from evalwright.core.case import Case
from evalwright.core.identity import content_hash
from evalwright.datasets.drafting.documents import Document, Line, Section
from evalwright.datasets.drafting.record import Draft, Origin

TEMPLATE_KINDS = ("faq", "steps", "section", "definition", "term", "amount", "duty")
"""Every template by name."""

MOST_FACTS = 4
"""Sentences of a section that are taken as expected facts."""

_DEFINITION = re2.compile(r"^([A-Z][\w-]*(?: [\w-]+){0,4}) (is|are) ((?:a|an|the|any|all|one|how|where|when) .{12,})$")
_TERM = re2.compile(r"^([A-Z][^:.;!?]{1,50}): (.{15,})$")
_DUTY = re2.compile(
    r"^((?:The |An? |All |Every |Each )?[A-Z]?[\w-]+(?: [\w-]+){0,4}) "
    r"(must not|must|should not|should|cannot|can|may) (.{10,})$"
)
_AMOUNT = re2.compile(
    r"(?:[$€£]\s?\d[\d,.]*\d|[$€£]\s?\d|\d[\d,.]*\s?%|\b\d[\d,.]*\s(?:minutes?|hours?|days?|weeks?|months?|years?|seconds?"
    r"|euros?|dollars?|percent|GB|MB|TB|km|kg|people|users|times|pages|items)\b|\b(?:19|20)\d\d\b)"
)
_PRONOUNS = frozenset(
    {"it", "this", "that", "these", "those", "they", "he", "she", "we", "you", "i", "there", "here", "what", "which"}
    | {"who", "such", "its", "their", "if", "when", "while"}
)


@dataclass(frozen=True, slots=True)
class _Asked:
    kind: str
    question: str
    facts: tuple[str, ...]
    line: int


def document_drafts(
    documents: Iterable[Document], *, most: int | None = None, seed: int = 0, kinds: Iterable[str] = ()
) -> list[Draft]:
    """Drafts of questions about documents; the same documents and seed give the same drafts.

    Templates: `faq` (a heading that is a question), `steps` (a numbered list under a heading), `section` (a heading
    with text), `definition` (“X is a …”), `term` (“X: …”), `amount` (a figure to be filled in) and `duty` (“X must …”).

    Args:
        documents: The documents.
        most: Most drafts, a random sample of all kinds alike; all when None.
        seed: Seed of the sample.
        kinds: Only these templates; all when empty.
    """
    wanted = frozenset(kinds)
    found: dict[str, Draft] = {}
    for document in documents:
        for section in document.sections:
            for asked in _asked(section):
                if not wanted or asked.kind in wanted:
                    draft = _draft(asked, document, section, seed)
                    found.setdefault(str(draft.draft.input), draft)
    drafts = list(found.values())
    return drafts if most is None else _sampled(drafts, most, seed)


def _sampled(drafts: list[Draft], most: int, seed: int) -> list[Draft]:
    """A sample that takes from each kind in turn, in the order of the documents."""
    rng = random.Random(seed)
    groups: dict[str, list[int]] = {}
    for place, draft in enumerate(drafts):
        groups.setdefault(draft.origin.kind, []).append(place)
    for group in groups.values():
        rng.shuffle(group)
    taken: list[int] = []
    while len(taken) < min(most, len(drafts)):
        for group in groups.values():
            if group and len(taken) < most:
                taken.append(group.pop())
    return [drafts[place] for place in sorted(taken)]


def _draft(asked: _Asked, document: Document, section: Section, seed: int) -> Draft:
    key = content_hash([document.name, asked.kind, asked.question])[:10]
    source = {"file": document.name, "line": asked.line, "heading": section.heading}
    case = Case(
        id=f"draft-{asked.kind}-{key}",
        input=asked.question,
        expected=list(asked.facts),
        metadata={"source": source},
        cluster=document.name,
    )
    origin = Origin(kind=asked.kind, file=document.name, line=asked.line, seed=seed)
    return Draft(draft=case, origin=origin)


def _asked(section: Section) -> Iterator[_Asked]:
    yield from _of_heading(section)
    for line in section.sentences:
        template = next((found for make in _TEMPLATES if (found := make(line)) is not None), None)
        if template is not None:
            yield template
    for line in section.items:
        if (found := _term(line)) is not None:
            yield found


def _of_heading(section: Section) -> Iterator[_Asked]:
    steps = [item for item in section.items if item.number]
    texts = [line.text for line in section.sentences[:MOST_FACTS]] or [item.text for item in section.items]
    if not section.heading or not texts:
        return
    if section.heading.endswith("?"):
        yield _Asked("faq", section.heading, tuple(texts), section.line)
    elif len(steps) >= 2:
        question = f"What are the steps of “{section.heading}”, in order?"
        yield _Asked("steps", question, tuple(item.text for item in steps), steps[0].line)
    elif len(section.sentences) >= 2:
        yield _Asked("section", f"What should one know about “{section.heading}”?", tuple(texts), section.line)


def _definition(line: Line) -> _Asked | None:
    found = _DEFINITION.match(line.text)
    if found is None or _vague(found[1]):
        return None
    return _Asked("definition", f"What {found[2]} {_lowered(found[1])}?", (line.text,), line.line)


def _term(line: Line) -> _Asked | None:
    found = _TERM.match(line.text)
    if found is None or _vague(found[1]):
        return None
    return _Asked(
        "term", f"What does the documentation say about “{found[1].strip()}”?", (found[2].strip(),), line.line
    )


def _amount(line: Line) -> _Asked | None:
    found = list(_AMOUNT.finditer(line.text))
    if len(found) != 1 or len(line.text.split()) < 6 or _vague(line.text):
        return None
    gap = f"{line.text[: found[0].start()]}____{line.text[found[0].end() :]}"
    return _Asked("amount", f"Which figure belongs in the gap? {gap}", (found[0][0].strip(),), line.line)


def _duty(line: Line) -> _Asked | None:
    found = _DUTY.match(line.text)
    if found is None or _vague(found[1]):
        return None
    verb, subject = found[2], _lowered(found[1])
    word, _, negated = verb.replace("cannot", "can not").partition(" ")
    return _Asked("duty", f"What {word} {subject} {'not do' if negated else 'do'}?", (line.text,), line.line)


_TEMPLATES: tuple[Callable[[Line], _Asked | None], ...] = (_amount, _definition, _term, _duty)


def _vague(text: str) -> bool:
    """Whether the text begins with a word that points to what stands before it."""
    return text.split(maxsplit=1)[0].lower().strip(",") in _PRONOUNS


def _lowered(subject: str) -> str:
    """The subject as it stands inside a sentence: a first word that is an article begins small."""
    first, space, rest = subject.partition(" ")
    return f"{first.lower()}{space}{rest}" if first in {"The", "A", "An", "All", "Every", "Each"} else subject
