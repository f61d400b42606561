"""Scorers of a retrieval: recall, precision, hit rate, MRR, MAP, nDCG, bpref, R-precision."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from evalwright.core.case import Json
from evalwright.core.output import Passage
from evalwright.core.score import Evidence, Score
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind
from evalwright.scorers.base import ExpectedPath, NotApplicable, RuleScorer, expected_value
from evalwright.scorers.paths import MISSING, lookup
from evalwright.scorers.retrieval import ranking as measures
from evalwright.scorers.retrieval.ranking import Ranking

Depth = Annotated[int | None, Field(ge=1, description="How many of the first results count; all when not given.")]

_SHOWN = 5
_SMALLEST = 1e-5


@dataclass(frozen=True)
class _Retrieval(RuleScorer):
    """What the retrieval scorers share: where the relevant ids stand and how the results are ordered."""

    _: KW_ONLY
    order: Annotated[
        Literal["auto", "given", "score"],
        Field(
            description="`given` takes the results as the target ordered them; `score` orders by score, equal scores "
            "by id descending, as trec_eval does; `auto` breaks ties so where the given order agrees with the scores."
        ),
    ] = "auto"
    id: Annotated[str, Field(description="Dotted path of the id in a retrieved context, e.g. `metadata.doc_id`.")] = (
        "id"
    )
    min_grade: Annotated[float, Field(description="Grade from which a graded document is relevant.")] = 1.0
    expected: ExpectedPath = None

    def judge(self, ctx: ScoreContext) -> Score:
        """The measure of the retrieved contexts; relevant ones that were not found are the evidence."""
        grades = relevance(expected_value(ctx, self.expected))
        ids = self._ranked(ctx.output.contexts)
        query = measures.ranking(ids, grades, min_grade=self.min_grade)
        if not query.relevant:
            raise NotApplicable("the case names no relevant document")
        return self._scored(self.measure(query), _reason(query), _missed(ids, grades, self.min_grade))

    def measure(self, query: Ranking) -> float:
        """The figure of one query."""
        raise NotImplementedError

    def _scored(self, value: float, reason: str, missed: tuple[Evidence, ...]) -> Score:
        passed = bool(value) if self.info.kind is ScoreKind.PROPORTION else None
        return Score.of(value, passed=passed, reason=reason, evidence=missed)

    def _ranked(self, contexts: tuple[Passage, ...]) -> list[str]:
        found = [(passage, self._id(passage)) for passage in contexts]
        if contexts and not any(id_ for _, id_ in found):
            raise NotApplicable(f"the retrieved contexts have no `{self.id}`")
        if self._by_score(contexts):
            found.sort(key=lambda item: (_score(item[0]), item[1]), reverse=True)
        return [id_ for _, id_ in found]

    def _id(self, passage: Passage) -> str:
        value = lookup(passage, self.id)
        return "" if value is MISSING or value is None else str(value)

    def _by_score(self, contexts: tuple[Passage, ...]) -> bool:
        if self.order != "auto":
            return self.order == "score"
        scores = [passage.score for passage in contexts if passage.score is not None]
        return len(scores) == len(contexts) and scores == sorted(scores, reverse=True)


def _score(passage: Passage) -> float:
    return -math.inf if passage.score is None or math.isnan(passage.score) else passage.score


def relevance(value: Json) -> dict[str, float]:
    """Grades by document id from what a case expects.

    A list of ids (or one id) grades each 1; a mapping gives the grades; a list of objects has `id` and `grade`
    (or `relevance`) each.

    Raises:
        NotApplicable: It is none of these.
    """
    if isinstance(value, Mapping):
        if not all(_is_number(grade) for grade in value.values()):
            raise NotApplicable("expected is an object; name the relevant ids in it with the option `expected`")
        return {str(id_): float(grade) for id_, grade in value.items()}
    items = value if isinstance(value, (list, tuple)) else [value]
    return dict(_graded(item) for item in items)


def _graded(item: Any) -> tuple[str, float]:
    if isinstance(item, Mapping):
        grade = item.get("grade", item.get("relevance", 1.0))
        if "id" not in item or not _is_number(grade):
            raise NotApplicable("a relevant document needs an `id`, and a number as its `grade` if it has one")
        return str(item["id"]), float(grade)
    return str(item), 1.0


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _reason(query: Ranking) -> str:
    hits = query.hits()
    first = f", first at rank {hits.index(True) + 1}" if any(hits) else ""
    return f"{sum(hits)} of {query.relevant} relevant among {len(hits)} retrieved{first}"


def _missed(ids: list[str], grades: dict[str, float], min_grade: float) -> tuple[Evidence, ...]:
    found = set(ids)
    missed = [id_ for id_, grade in grades.items() if grade >= min_grade and id_ not in found]
    return tuple(Evidence(where="expected", text=id_, note="not retrieved") for id_ in missed[:_SHOWN])


def _at(name: str, k: int | None) -> str:
    return name if k is None else f"{name}_at_{k}"


@dataclass(frozen=True)
class RecallAtK(_Retrieval):
    """Share of the relevant documents that are among the first k results."""

    k: Depth = 10

    @property
    def info(self) -> ScoreInfo:
        """A mean from 0 to 1, named after k."""
        return ScoreInfo(name=_at("recall", self.k))

    def measure(self, query: Ranking) -> float:
        """Recall at k."""
        return measures.recall(query, self.k)


@dataclass(frozen=True)
class PrecisionAtK(_Retrieval):
    """Share of the first k results that are relevant; fewer than k results count as misses."""

    k: Depth = 10

    @property
    def info(self) -> ScoreInfo:
        """A mean from 0 to 1, named after k."""
        return ScoreInfo(name=_at("precision", self.k))

    def measure(self, query: Ranking) -> float:
        """Precision at k."""
        return measures.precision(query, self.k)


@dataclass(frozen=True)
class HitRate(_Retrieval):
    """Whether a relevant document is among the first k results (success at k)."""

    k: Depth = 10

    @property
    def info(self) -> ScoreInfo:
        """A proportion, named after k."""
        return ScoreInfo(name=_at("hit_rate", self.k), kind=ScoreKind.PROPORTION)

    def measure(self, query: Ranking) -> float:
        """1 or 0."""
        return measures.hit(query, self.k)


@dataclass(frozen=True)
class MeanReciprocalRank(_Retrieval):
    """1 divided by the rank of the first relevant result, 0 when there is none; the metric is MRR."""

    k: Depth = None

    @property
    def info(self) -> ScoreInfo:
        """A mean from 0 to 1, named after k."""
        return ScoreInfo(name=_at("mrr", self.k))

    def measure(self, query: Ranking) -> float:
        """The reciprocal rank."""
        return measures.reciprocal_rank(query, self.k)


@dataclass(frozen=True)
class MeanAveragePrecision(_Retrieval):
    """Average precision of the ranking; the metric is MAP, or its geometric mean over the cases.

    The geometric mean (gm_map) takes values under 0.00001 as 0.00001, as trec_eval does, and shows changes in the cases
    that are hardest.
    """

    k: Depth = None
    geometric: Annotated[bool, Field(description="The metric is the geometric mean over the cases.")] = False

    @property
    def info(self) -> ScoreInfo:
        """A mean from 0 to 1, or a figure of the whole corpus when geometric."""
        if self.geometric:
            return ScoreInfo(name=_at("gm_map", self.k), kind=ScoreKind.CORPUS)
        return ScoreInfo(name=_at("map", self.k))

    def measure(self, query: Ranking) -> float:
        """Average precision."""
        return measures.average_precision(query, self.k)

    def _scored(self, value: float, reason: str, missed: tuple[Evidence, ...]) -> Score:
        stats = (math.log(max(value, _SMALLEST)), 1.0) if self.geometric else ()
        return Score.of(value, reason=reason, evidence=missed, stats=stats)

    def aggregate(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Geometric mean from summed logarithms and counts, shape (..., 2) to (...)."""
        logs, count = np.asarray(sums, dtype=np.float64)[..., 0], np.asarray(sums, dtype=np.float64)[..., 1]
        result: NDArray[np.float64] = np.where(count > 0, np.exp(logs / np.maximum(count, 1.0)), 0.0)
        return result


@dataclass(frozen=True)
class Ndcg(_Retrieval):
    """Gain of the ranking, discounted by rank, as a share of the best possible one (nDCG)."""

    k: Depth = None
    gain: Annotated[
        Literal["linear", "exponential"], Field(description="The gain of a grade: itself, or 2^grade - 1.")
    ] = "linear"

    @property
    def info(self) -> ScoreInfo:
        """A mean from 0 to 1, named after k."""
        return ScoreInfo(name=_at("ndcg", self.k))

    def measure(self, query: Ranking) -> float:
        """The nDCG at k."""
        return measures.ndcg(query, self.k, exponential=self.gain == "exponential")


@dataclass(frozen=True)
class Bpref(_Retrieval):
    """How seldom judged non-relevant documents stand above relevant ones; unjudged documents do not count.

    Needs graded judgements with non-relevant documents (grade 0) among them to tell anything.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="bpref")

    def measure(self, query: Ranking) -> float:
        """The bpref figure."""
        return measures.bpref(query)


@dataclass(frozen=True)
class RPrecision(_Retrieval):
    """Precision at R, where R is the number of relevant documents."""

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="r_precision")

    def measure(self, query: Ranking) -> float:
        """R-precision."""
        return measures.r_precision(query)
