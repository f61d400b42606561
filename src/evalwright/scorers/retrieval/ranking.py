"""A ranking beside what is relevant, and the measures of it as pure functions.

Definitions and names follow trec_eval (NIST). A grade is how relevant a document is judged to be; documents nobody
judged have none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Ranking:
    """One query's result: the grade at each rank, and what there was to find.

    Attributes:
        grades: Grade of the document at each rank, best rank first; None where it was not judged.
        judged: Every judged grade of the query, retrieved or not.
        min_grade: Grade from which a document is relevant.
    """

    grades: tuple[float | None, ...]
    judged: tuple[float, ...]
    min_grade: float = 1.0

    @property
    def relevant(self) -> int:
        """How many relevant documents there are."""
        return sum(grade >= self.min_grade for grade in self.judged)

    def hits(self, k: int | None = None) -> list[bool]:
        """Whether each of the first k documents is relevant."""
        return [grade is not None and grade >= self.min_grade for grade in self.grades[:k]]


def ranking(ids: Sequence[str], grades: Mapping[str, float], *, min_grade: float = 1.0) -> Ranking:
    """Put grades to ranked ids; an id that occurs again counts at its first rank only."""
    unique = dict.fromkeys(ids)
    return Ranking(tuple(grades.get(id_) for id_ in unique), tuple(grades.values()), min_grade)


def recall(query: Ranking, k: int | None = None) -> float:
    """Share of the relevant documents that are among the first k (all retrieved when None)."""
    return sum(query.hits(k)) / query.relevant


def precision(query: Ranking, k: int | None = None) -> float:
    """Share of the first k that are relevant; ranks nobody filled count as misses. Of all retrieved when k is None."""
    places = len(query.grades) if k is None else k
    return sum(query.hits(k)) / places if places else 0.0


def hit(query: Ranking, k: int | None = None) -> float:
    """1 when a relevant document is among the first k, else 0."""
    return float(any(query.hits(k)))


def reciprocal_rank(query: Ranking, k: int | None = None) -> float:
    """1 divided by the rank of the first relevant document; 0 when there is none among the first k."""
    hits = query.hits(k)
    return 1.0 / (hits.index(True) + 1) if True in hits else 0.0


def average_precision(query: Ranking, k: int | None = None) -> float:
    """Mean of the precision at each relevant document, those not retrieved counting 0."""
    found, total = 0, 0.0
    for rank, relevant in enumerate(query.hits(k), start=1):
        if relevant:
            found += 1
            total += found / rank
    return total / query.relevant


def ndcg(query: Ranking, k: int | None = None, *, exponential: bool = False) -> float:
    """Discounted gain (grade over log2(rank + 1)) as a share of the best possible ranking's.

    Järvelin and Kekäläinen 2002 (doi 10.1145/582415.582418). Gains are the grades, or 2^grade - 1 when exponential.
    """
    ideal = sorted((grade for grade in query.judged if grade > 0), reverse=True)
    best = _discounted(ideal[:k], exponential=exponential)
    return _discounted([grade or 0.0 for grade in query.grades[:k]], exponential=exponential) / best if best else 0.0


def _discounted(grades: Sequence[float], *, exponential: bool) -> float:
    gains = [2.0**grade - 1.0 if exponential else grade for grade in grades]
    return sum(gain / math.log2(rank + 2) for rank, gain in enumerate(gains) if gain > 0)


def r_precision(query: Ranking) -> float:
    """Precision at R, the number of relevant documents."""
    return precision(query, query.relevant)


def bpref(query: Ranking) -> float:
    """Share of relevant documents ranked above judged non-relevant ones; unjudged documents do not count.

    Buckley and Voorhees 2004 (doi 10.1145/1008992.1009000), as trec_eval computes it.
    """
    relevant = query.relevant
    bound = min(relevant, len(query.judged) - relevant)
    total, above = 0.0, 0
    for grade in query.grades:
        if grade is None:
            continue
        if grade < query.min_grade:
            above += 1
        else:
            total += 1.0 - min(above, relevant) / bound if above else 1.0
    return total / relevant
