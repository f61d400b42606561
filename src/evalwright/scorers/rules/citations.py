"""Does the answer cite, and are the citations well formed? Whether they support it is another question."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import Field

from evalwright.core.output import Output
from evalwright.core.score import Evidence, Score
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind
from evalwright.scorers.base import NotApplicable, RuleScorer
from evalwright.scorers.patterns import compile_pattern
from evalwright.scorers.text.sentences import sentences
from evalwright.scorers.text.words import words

DEFAULT_PATTERN = r"\[\^?([\w.:/#-]{1,80}(?:\s*[,;]\s*[\w.:/#-]{1,80})*)\]"
"""Markers like `[1]`, `[3, 5]`, `[doc-17]`, `[^2]`."""

BUILT_IN_PATTERN = re.compile(DEFAULT_PATTERN)
_SHOWN = 10

MarkerPattern = Annotated[
    str,
    Field(description="What a citation in the text looks like; its first group holds the id, or several with commas."),
]


class Marker(NamedTuple):
    """A citation found in the text: the id and where the marker stands."""

    id: str
    start: int
    end: int


def find_markers(text: str, pattern: Any) -> list[Marker]:
    """The citations in a text, one per id; a compiled pattern's first group (or whole match) holds the ids."""
    found: list[Marker] = []
    for match in pattern.finditer(text):
        ids = match.group(min(1, pattern.groups)) or ""
        parts = [part.strip() for part in ids.replace(";", ",").split(",")]
        found.extend(Marker(part, match.start(), match.end()) for part in parts if part)
    return found


def cited_ids(output: Output, pattern: Any) -> list[str]:
    """The ids an output cites: those the target listed, else those marked in the text."""
    return list(output.citations) or [marker.id for marker in find_markers(output.text, pattern)]


@dataclass(frozen=True)
class _Citing(RuleScorer):
    pattern: MarkerPattern = DEFAULT_PATTERN

    def __post_init__(self) -> None:
        """Compile the pattern now, so that a mistake shows before anything runs."""
        _ = self._compiled

    @cached_property
    def _compiled(self) -> Any:
        return BUILT_IN_PATTERN if self.pattern == DEFAULT_PATTERN else compile_pattern(self.pattern)

    def __getstate__(self) -> dict[str, Any]:
        """Options only: compiled patterns do not travel between processes."""
        return {key: value for key, value in vars(self).items() if key != "_compiled"}


@dataclass(frozen=True)
class CitationPresence(_Citing):
    """The answer cites its sources: at least so many, or in every sentence.

    Citations are those the target lists (`citations`) and those marked in the text. With `every_sentence`, sentences of
    fewer than `min_words` words (greetings, headings) need none.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="citation_presence", kind=ScoreKind.PROPORTION)

    _: KW_ONLY
    at_least: Annotated[int, Field(ge=1, description="Different sources that must be cited.")] = 1
    every_sentence: Annotated[bool, Field(description="Each sentence must hold a marker.")] = False
    min_words: Annotated[int, Field(ge=1, description="Shorter sentences need no marker.")] = 4

    def judge(self, ctx: ScoreContext) -> Score:
        """1 when enough is cited, else 0; sentences without a marker are the evidence."""
        markers = find_markers(ctx.output.text, self._compiled)
        ids = {marker.id for marker in markers} | set(ctx.output.citations)
        enough = len(ids) >= self.at_least
        if not enough or not self.every_sentence:
            return Score.of(enough, reason=f"cites {len(ids)} sources, at least {self.at_least} wanted")
        bare = self._bare_sentences(ctx.output.text, markers)
        return Score.of(not bare, reason=f"{len(bare)} sentences without a citation", evidence=tuple(bare[:_SHOWN]))

    def _bare_sentences(self, text: str, markers: list[Marker]) -> list[Evidence]:
        found = []
        places = sorted({marker.start for marker in markers})
        units = sentences(text)
        for index, unit in enumerate(units):
            end = units[index + 1].start if index + 1 < len(units) else len(text)
            nearest = bisect_left(places, unit.start)
            start = places[nearest] if nearest < len(places) else len(text)
            if start >= unit.end and not _follows(text, unit.end, start, end):
                plain = self._compiled.sub("", unit.text)
                if len(words(plain)) >= self.min_words:
                    found.append(Evidence(start=unit.start, end=unit.end, text=unit.text[:300], note="no citation"))
        return found


def _follows(text: str, sentence_end: int, marker_start: int, next_start: int) -> bool:
    """Whether a marker follows a sentence directly, before the next begins (`It rained. [1] Then …`)."""
    return marker_start <= next_start and marker_start < len(text) and not text[sentence_end:marker_start].strip()


@dataclass(frozen=True)
class CitationFormat(_Citing):
    """Every citation has the right form and names a source that was there.

    Skipped where the answer cites nothing: `citation_presence` judges that.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="citation_format", kind=ScoreKind.PROPORTION)

    _: KW_ONLY
    id_pattern: Annotated[str | None, Field(description="What a whole id must look like.")] = None
    among: Annotated[
        Literal["contexts", "positions", "any"],
        Field(
            description="Ids allowed: ids of the retrieved contexts, their positions from 1, or any. `contexts` "
            "accepts positions too where contexts have no ids."
        ),
    ] = "contexts"

    def judge(self, ctx: ScoreContext) -> Score:
        """1 when every citation is good, else 0 with the bad ones."""
        ids = list(dict.fromkeys(cited_ids(ctx.output, self._compiled)))
        if not ids:
            raise NotApplicable("the answer cites nothing")
        if self.among != "any" and not ctx.output.contexts:
            raise NotApplicable("the output shows no contexts to compare citations with")
        wrong = [id_ for id_ in ids if not self._well_formed(id_)]
        unknown = [] if self.among == "any" else [id_ for id_ in ids if id_ not in self._known(ctx.output)]
        evidence = tuple(Evidence(text=id_, note="malformed id") for id_ in wrong[:_SHOWN])
        evidence += tuple(Evidence(text=id_, note="no such context") for id_ in unknown[:_SHOWN])
        reason = f"{len(ids)} cited, {len(wrong)} malformed, {len(unknown)} unknown"
        return Score.of(not wrong and not unknown, reason=reason, evidence=evidence)

    def _well_formed(self, id_: str) -> bool:
        return self.id_pattern is None or compile_pattern(self.id_pattern).fullmatch(id_) is not None

    def _known(self, output: Output) -> set[str]:
        ids = {passage.id for passage in output.contexts if passage.id}
        positions = {str(position) for position in range(1, len(output.contexts) + 1)}
        return positions if self.among == "positions" or not ids else ids

    def __post_init__(self) -> None:
        """Compile both patterns now, so that a mistake shows before anything runs."""
        super().__post_init__()
        if self.id_pattern is not None:
            compile_pattern(self.id_pattern)
