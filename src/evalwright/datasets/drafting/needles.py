"""Needles in haystacks: one fact hidden at each depth of texts of each length, and the question for it.

Source of the design: Kamradt 2023, needle in a haystack; Liu et al. 2024, Lost in the Middle (TACL 12).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from evalwright.core.case import Case, Json
from evalwright.core.errors import UsageError
from evalwright.datasets.drafting.documents import Document
from evalwright.datasets.drafting.record import Draft, Origin

_PLACES = ("the boathouse", "the north archive", "the old mill", "the seed library", "the harbour office", "the attic")
_WORDS = ("KESTREL", "ONYX", "JUNIPER", "MARLIN", "QUARTZ", "TUNDRA", "SAFFRON", "COBALT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Needle:
    """A fact, the question for it and its answer."""

    fact: str
    question: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedleGrid:
    """Where needles are put.

    Attributes:
        lengths: Lengths of the whole text in words (a token is about 0.75 English words).
        depths: Depths in percent: 0 is the beginning, 100 the end.
        repeats: Texts per cell, each with other filler.
        seed: Seed of filler and made-up needles.
    """

    lengths: tuple[int, ...] = (500, 2000, 8000)
    depths: tuple[float, ...] = (0.0, 25.0, 50.0, 75.0, 100.0)
    repeats: int = 1
    seed: int = 0


def needle_drafts(documents: Sequence[Document], grid: NeedleGrid, needle: Needle | None = None) -> list[Draft]:
    """A draft per length, depth and repetition; the input is the text with the question behind it.

    The filler is whole sentences of the documents, begun at a random one and gone round as often as needed. Cases of
    one length and repetition have the same filler and needle and form a cluster: they differ by the depth alone.

    Args:
        documents: Where the filler comes from.
        grid: Lengths, depths and repetitions.
        needle: The fact; a made-up code word for each text when None.

    Raises:
        UsageError: The grid is empty or out of range, or the filler has no sentence or holds the answer.
    """
    _check(grid)
    filler = [line.text for document in documents for section in document.sections for line in section.sentences]
    if not filler:
        raise UsageError("the documents have no sentence to hide a needle among")
    drafts: list[Draft] = []
    for length in grid.lengths:
        for repeat in range(grid.repeats):
            rng = random.Random(f"{grid.seed}/{length}/{repeat}")
            chosen = needle or _made_up(rng)
            words = _haystack(filler, length - len(chosen.fact.split()), rng)
            if any(chosen.answer.lower() in sentence.lower() for sentence in words):
                raise UsageError(f"the documents themselves hold the answer {chosen.answer!r}", hint="take another")
            drafts += [_draft(chosen, words, (length, depth, repeat), grid.seed) for depth in grid.depths]
    return drafts


def _check(grid: NeedleGrid) -> None:
    if not grid.lengths or not grid.depths or grid.repeats < 1:
        raise UsageError("a grid has at least one length, one depth and one repetition")
    if min(grid.lengths) < 50 or max(grid.lengths) > 2_000_000:
        raise UsageError("lengths lie between 50 and 2,000,000 words", hint=f"given: {min(grid.lengths)} and more")
    if min(grid.depths) < 0 or max(grid.depths) > 100:
        raise UsageError("depths lie between 0 and 100 percent")


def _made_up(rng: random.Random) -> Needle:
    place, word = rng.choice(_PLACES), f"{rng.choice(_WORDS)}-{rng.randrange(1000, 10_000)}"
    return Needle(
        fact=f"The code word for {place} is {word}.", question=f"What is the code word for {place}?", answer=word
    )


def _haystack(filler: Sequence[str], words: int, rng: random.Random) -> list[str]:
    """Sentences of about so many words, at most so many but for the first."""
    start = rng.randrange(len(filler))
    found: list[str] = []
    room = words
    for place in range(start, start + words + len(filler)):
        sentence = filler[place % len(filler)]
        size = len(sentence.split())
        if found and size > room:
            break
        found.append(sentence)
        room -= size
    return found


def _draft(needle: Needle, hay: Sequence[str], cell: tuple[int, float, int], seed: int) -> Draft:
    length, depth, repeat = cell
    at = _position(hay, depth)
    text = " ".join([*hay[:at], needle.fact, *hay[at:]])
    case = Case(
        id=f"needle-{length}-{depth:g}-{repeat}",
        input=f"{text}\n\n{needle.question}",
        expected=needle.answer,
        metadata=_metadata(length, depth, text, needle),
        cluster=f"needle-{length}-{repeat}",
        tags=("needle",),
    )
    return Draft(draft=case, origin=Origin(kind="needle", seed=seed, detail=f"{length} words, depth {depth:g} %"))


def _metadata(length: int, depth: float, text: str, needle: Needle) -> dict[str, Json]:
    whole = int(depth) if depth == int(depth) else depth
    place = {"length": length, "depth": whole, "cell": f"{length}/{depth:g}"}
    return {**place, "words": len(text.split()), "needle": needle.fact}


def _position(hay: Sequence[str], depth: float) -> int:
    """The sentence before which the needle stands so that the given percentage of the words comes before it."""
    sizes = [len(sentence.split()) for sentence in hay]
    wanted, seen = sum(sizes) * depth / 100.0, 0
    for place, size in enumerate(sizes):
        if seen + size / 2 > wanted:
            return place
        seen += size
    return len(hay)
