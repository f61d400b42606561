"""Cases changed a little, with what must follow: the same answer as before (metamorphic testing), or another one.

Source of the idea: Chen, Cheung & Yiu 1998 (metamorphic testing); Ribeiro et al. 2020, CheckList (invariance and
directional expectation tests).
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec
import re2

from evalwright.core.case import Case, Json
from evalwright.core.errors import UsageError
from evalwright.core.identity import content_hash
from evalwright.datasets.drafting.record import Draft, Origin, Relation

_FIXED = re2.compile(r"https?://\S+|\S+@\S+\.\S+|`[^`]*`|\{\{?[^}]*\}?\}|<[^>]*>|\S*\d\S*|\b[A-Z]{2,}\b")
"""Addresses, code, placeholders, figures and acronyms: never misspelt."""

_WORD = re2.compile(r"\pL{4,}")
_NUMBER = re2.compile(r"\b\d{1,9}(?:[.,]\d+)?\b")
_AUXILIARY = re2.compile(
    r"(?i)\b(is|are|was|were|can|could|should|must|will|would|does|do|did|has|have)(?:( not|n't)\b|\b)"
)
_NEIGHBOURS = {
    key: near
    for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm")
    for place, key in enumerate(row)
    if (near := row[max(place - 1, 0) : place] + row[place + 1 : place + 2])
}
_FIELDS = ("question", "query", "text", "message", "prompt", "user_input", "input", "content")
_BEFORE = ("Hello, a quick question: ", "Hi there! ", "I was wondering: ", "Sorry to bother you. ")
_AFTER = (" Thanks in advance!", " Many thanks.", " Thank you for your help!", "")

Change = Callable[[str, random.Random], str]


@dataclass(frozen=True, slots=True)
class Kind:
    """A way to change a text: what it does, what must follow, and the function."""

    summary: str
    relation: Relation
    change: Change


def _typos(text: str, rng: random.Random) -> str:
    fixed = [match.span() for match in _FIXED.finditer(text)]
    words = [m.span() for m in _WORD.finditer(text) if not any(a < m.end() and m.start() < b for a, b in fixed)]
    chosen = rng.sample(words, k=min(len(words), max(1, round(len(words) * 0.2))))
    for start, end in sorted(chosen, reverse=True):
        text = text[:start] + _misspelt(text[start:end], rng) + text[end:]
    return text


def _misspelt(word: str, rng: random.Random) -> str:
    """One slip inside a word, never at its first letter: two letters swapped, one lost, doubled or hit beside."""
    at = rng.randrange(1, len(word) - 1)
    near = _NEIGHBOURS.get(word[at].lower(), "")
    slips = [word[:at] + word[at + 1 :], word[:at] + word[at] + word[at:]]
    if word[at] != word[at + 1]:
        slips.append(word[:at] + word[at + 1] + word[at] + word[at + 2 :])
    if near:
        slips.append(word[:at] + rng.choice(near) + word[at + 1 :])
    return rng.choice(slips)


def _case(text: str, rng: random.Random) -> str:
    forms = [form for form in (text.lower(), text.upper()) if form != text]
    return rng.choice(forms) if forms else text


def _whitespace(text: str, rng: random.Random) -> str:
    gaps = [place for place, char in enumerate(text) if char == " "]
    chosen = frozenset(rng.sample(gaps, k=min(len(gaps), max(1, len(gaps) // 4))))
    inner = "".join(char * rng.choice((2, 3)) if place in chosen else char for place, char in enumerate(text))
    return rng.choice(("  ", "\n", " ")) + inner + rng.choice(("\n", "  ", " \n"))


def _punctuation(text: str, rng: random.Random) -> str:
    bare = text.rstrip(" .?!")
    mark = text.rstrip()[len(bare) :].strip()
    others = [end for end in ("", " ?" if mark == "?" else " .", mark * 2 if mark else "…") if bare + end != text]
    return bare + rng.choice(others)


def _filler(text: str, rng: random.Random) -> str:
    return rng.choice(_BEFORE) + text.strip() + rng.choice(_AFTER)


def _accents(text: str, rng: random.Random) -> str:  # noqa: ARG001 - there is one way only
    apart = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(char for char in apart if unicodedata.category(char) != "Mn"))


def _numbers(text: str, rng: random.Random) -> str:
    found = [match.span() for match in _NUMBER.finditer(text)]
    if not found:
        return text
    start, end = rng.choice(found)
    whole = text[start:end].replace(",", ".").partition(".")[0]
    other = int(whole) + rng.choice((1, 2, 3, 7, 10))
    return text[:start] + str(other) + text[start + len(whole) : end] + text[end:]


def _negation(text: str, rng: random.Random) -> str:  # noqa: ARG001 - the first place is taken
    found = _AUXILIARY.search(text)
    if found is None:
        return text
    start, end = found.span()
    verb: str = found.group(1)
    return text[:start] + verb + ("" if found.group(2) else " not") + text[end:]


KINDS: dict[str, Kind] = {
    "typos": Kind("slips of the keyboard in about one word in five", Relation.SAME, _typos),
    "case": Kind("all small or all capital letters", Relation.SAME, _case),
    "whitespace": Kind("doubled spaces and line breaks around", Relation.SAME, _whitespace),
    "punctuation": Kind("another mark at the end, or none", Relation.SAME, _punctuation),
    "filler": Kind("polite words around (English)", Relation.SAME, _filler),
    "accents": Kind("letters without their accents", Relation.SAME, _accents),
    "numbers": Kind("one number changed", Relation.CHANGED, _numbers),
    "negation": Kind("a `not` put in or taken out (English)", Relation.CHANGED, _negation),
}
"""Every kind of perturbation by name."""


def perturbed(
    cases: Iterable[Case], kinds: Sequence[str], *, seed: int = 0, field: str | None = None, source: str = ""
) -> tuple[list[Draft], int]:
    """Drafts of changed cases, and how many were left out because a change did not apply to them.

    What a draft of relation `same` expects is what its case expects; for `changed` nothing is expected but that the
    answer differs from the old one, which stands in `metadata.not_expected`. A draft lies in the cluster of its case.
    The same cases, kinds and seed give the same drafts, whatever the order.

    Args:
        cases: The cases.
        kinds: Names of `KINDS`; `perturb` for all of them.
        seed: Seed.
        field: Field of the input that is changed, for inputs that are objects; found by its name when None.
        source: Where the cases come from, for the origin.

    Raises:
        UsageError: A kind is unknown.
    """
    names = list(dict.fromkeys(name for kind in kinds for name in (KINDS if kind == "perturb" else (kind,))))
    if unknown := [name for name in names if name not in KINDS]:
        raise UsageError(f"unknown kind `{unknown[0]}`", hint=f"perturb (all of them), {', '.join(KINDS)}")
    drafts: list[Draft] = []
    left = 0
    for case in cases:
        for name in names:
            draft = _draft(case, name, seed, field, source)
            left += draft is None
            drafts += [] if draft is None else [draft]
    return drafts, left


def _draft(case: Case, name: str, seed: int, field: str | None, source: str) -> Draft | None:
    text, put = place_of(case.input, field)
    if text is None or not text.strip():
        return None
    rng = random.Random(content_hash([seed, name, case.id]))
    changed = KINDS[name].change(text, rng)
    if changed == text:
        return None
    origin = Origin(kind=name, file=source, of=case.id, seed=seed, detail=KINDS[name].summary)
    return changed_draft(case, put(changed), KINDS[name].relation, origin)


def changed_draft(case: Case, value: Json, relation: Relation, origin: Origin) -> Draft:
    """A draft of a changed case with what must follow from the change.

    Args:
        case: The case it was made from.
        value: The changed input.
        relation: The same answer as before, or another one.
        origin: Where it comes from; its kind is part of the id.
    """
    metadata = {**case.metadata, "metamorphic": {"of": case.id, "relation": relation.value}}
    if relation is Relation.CHANGED and case.expected is not None:
        metadata["not_expected"] = case.expected
    made = msgspec.structs.replace(
        case,
        id=f"{case.id}~{origin.kind}",
        input=value,
        expected=case.expected if relation is Relation.SAME else None,
        metadata=metadata,
        cluster=case.cluster or case.id,
    )
    return Draft(draft=made, origin=origin, relation=relation)


def place_of(value: Json, field: str | None) -> tuple[str | None, Callable[[str], Json]]:
    """The user's text in an input, and the function that puts another in its place."""
    if isinstance(value, str):
        return value, lambda text: text
    if isinstance(value, list):
        return _last_message(value)
    if isinstance(value, dict):
        names: Iterator[str] = iter([field] if field else _FIELDS)
        name = next((n for n in names if isinstance(value.get(n), str)), None)
        if name is not None:
            return value[name], lambda text: {**value, name: text}
    return None, lambda _: value


def _last_message(messages: list[Json]) -> tuple[str | None, Callable[[str], Json]]:
    for place in reversed(range(len(messages))):
        message = messages[place]
        if isinstance(message, dict) and message.get("role") == "user" and isinstance(message.get("content"), str):
            return message["content"], lambda text, at=place: [
                {**item, "content": text} if index == at else item for index, item in enumerate(messages)
            ]
    return None, lambda _: messages
