"""Do the citations hold? Each cited passage exists, and supports the sentence that cites it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

from evalwright.core.output import Output
from evalwright.core.score import Evidence, Score
from evalwright.core.scorer import ScoreContext, ScoreInfo
from evalwright.scorers.base import NotApplicable, RuleScorer
from evalwright.scorers.patterns import compile_pattern
from evalwright.scorers.rag.claims import Claim, claims, is_statement, statements
from evalwright.scorers.rag.groundedness import is_supported
from evalwright.scorers.rag.inputs import DEFAULT_THRESHOLD, Threshold
from evalwright.scorers.rag.support import Source, sources, support
from evalwright.scorers.rules.citations import (
    BUILT_IN_PATTERN,
    DEFAULT_PATTERN,
    Marker,
    MarkerPattern,
    cited_ids,
    find_markers,
)

_SHOWN = 10


class Cited(NamedTuple):
    """A claim with the ids that it cites."""

    claim: Claim
    ids: tuple[str, ...]


@dataclass(frozen=True)
class _CitationScorer(RuleScorer):
    pattern: MarkerPattern = DEFAULT_PATTERN
    threshold: Threshold = DEFAULT_THRESHOLD

    def __post_init__(self) -> None:
        """Compile the pattern now, so that a mistake shows before anything runs."""
        _ = self._compiled

    @cached_property
    def _compiled(self) -> Any:
        return BUILT_IN_PATTERN if self.pattern == DEFAULT_PATTERN else compile_pattern(self.pattern)

    def __getstate__(self) -> dict[str, Any]:
        """Options only: compiled patterns do not travel between processes."""
        return {key: value for key, value in vars(self).items() if key != "_compiled"}

    def _cited(self, output: Output) -> list[Cited]:
        """Every statement with what it cites; without markers, each cites all that the target listed."""
        markers = find_markers(output.text, self._compiled)
        if not markers:
            return [Cited(claim, output.citations) for claim in statements(output.text)]
        found = [claim._replace(text=self._compiled.sub("", claim.text).strip()) for claim in claims(output.text)]
        return attach(found, markers)


def attach(found: list[Claim], markers: list[Marker]) -> list[Cited]:
    """Give each marker to the claim it stands in or behind; one at the head of a claim belongs to the claim before."""
    starts = [claim.start for claim in found]
    ids: list[list[str]] = [[] for _ in found]
    for marker in markers:
        place = max(0, bisect_right(starts, marker.start) - 1)
        if place and starts[place] == marker.start:
            place -= 1
        if found:
            ids[place].append(marker.id)
    return [Cited(claim, tuple(dict.fromkeys(own))) for claim, own in zip(found, ids, strict=True)]


def known_passages(output: Output) -> dict[str, Source]:
    """The retrieved passages by the ids they may be cited with: their own, and their positions from 1.

    Raises:
        NotApplicable: The output shows no contexts.
    """
    ready = sources([passage.text for passage in output.contexts])
    return {id_: ready[place] for id_, place in citable_ids(output).items()}


def citable_ids(output: Output) -> dict[str, int]:
    """The place of each retrieved passage by the ids it may be cited with; its own id wins over another's position.

    Raises:
        NotApplicable: The output shows no contexts.
    """
    if not output.contexts:
        raise NotApplicable("the output shows no contexts to compare citations with")
    positions = {str(place + 1): place for place in range(len(output.contexts))}
    return positions | {passage.id: place for place, passage in enumerate(output.contexts) if passage.id}


@dataclass(frozen=True)
class CitationPrecision(_CitationScorer):
    """Share of the citations whose passage supports the claim that cites it.

    A citation of something that was not retrieved supports nothing. Where the text has no markers, a listed citation is
    right when its passage supports any claim of the answer. Skipped where nothing is cited.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="citation_precision")

    def judge(self, ctx: ScoreContext) -> Score:
        """The share of citations that support; the others are the evidence."""
        known = known_passages(ctx.output)
        cited = [item for item in self._cited(ctx.output) if item.ids]
        if not cited:
            raise NotApplicable("the answer cites nothing")
        by_marker = bool(find_markers(ctx.output.text, self._compiled))
        judged = self._by_marker(cited, known) if by_marker else self._by_list(cited, known)
        wrong = [note for good, note in judged if not good]
        reason = f"{len(judged) - len(wrong)} of {len(judged)} citations support their claim"
        return Score.of(1 - len(wrong) / len(judged), passed=not wrong, reason=reason, evidence=tuple(wrong[:_SHOWN]))

    def _by_marker(self, cited: list[Cited], known: dict[str, Source]) -> list[tuple[bool, Evidence]]:
        pairs = [(item.claim, id_) for item in cited for id_ in item.ids]
        return [(self._supports(claim, id_, known), _span(claim, f"cites {id_[:80]}")) for claim, id_ in pairs]

    def _by_list(self, cited: list[Cited], known: dict[str, Source]) -> list[tuple[bool, Evidence]]:
        found = []
        for id_ in dict.fromkeys(id_ for item in cited for id_ in item.ids):
            good = any(self._supports(item.claim, id_, known) for item in cited)
            found.append((good, Evidence(text=id_, note="supports no claim")))
        return found

    def _supports(self, claim: Claim, id_: str, known: dict[str, Source]) -> bool:
        return id_ in known and is_supported(support(claim.text, [known[id_]]), self.threshold)


@dataclass(frozen=True)
class CitationRecall(_CitationScorer):
    """Share of the answer's claims that the passages they cite support.

    A claim that cites nothing is not supported by a citation. Skipped where the answer claims nothing.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="citation_recall")

    def judge(self, ctx: ScoreContext) -> Score:
        """The share of claims supported by their citations; the others are the evidence."""
        known = known_passages(ctx.output)
        stated = [item for item in self._cited(ctx.output) if is_statement(item.claim)]
        if not stated:
            raise NotApplicable("the answer claims nothing")
        bare = [item for item in stated if not self._backed(item, known)]
        evidence = tuple(_bare(item) for item in bare[:_SHOWN])
        reason = f"{len(stated) - len(bare)} of {len(stated)} claims supported by their citations"
        return Score.of(1 - len(bare) / len(stated), passed=not bare, reason=reason, evidence=evidence)

    def _backed(self, item: Cited, known: dict[str, Source]) -> bool:
        own = [known[id_] for id_ in item.ids if id_ in known]
        return is_supported(support(item.claim.text, own), self.threshold)


def _bare(item: Cited) -> Evidence:
    return _span(item.claim, f"cites {', '.join(item.ids)[:80]}" if item.ids else "cites nothing")


def _span(claim: Claim, note: str) -> Evidence:
    return Evidence(start=claim.start, end=claim.end, text=claim.text[:300], note=note)


@dataclass(frozen=True)
class CitationValidity(_CitationScorer):
    """Share of the citations that name a passage which was retrieved.

    Invented sources are what it finds; whether a real one supports the claim is citation precision. Skipped where
    nothing is cited.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="citation_validity")

    def judge(self, ctx: ScoreContext) -> Score:
        """The share of cited ids that exist; invented ones are the evidence."""
        ids = list(dict.fromkeys(cited_ids(ctx.output, self._compiled)))
        if not ids:
            raise NotApplicable("the answer cites nothing")
        known = citable_ids(ctx.output)
        invented = [id_ for id_ in ids if id_ not in known]
        evidence = tuple(Evidence(text=id_, note="not retrieved") for id_ in invented[:_SHOWN])
        reason = f"{len(ids) - len(invented)} of {len(ids)} cited sources were retrieved"
        return Score.of(1 - len(invented) / len(ids), passed=not invented, reason=reason, evidence=evidence)
