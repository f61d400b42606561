"""BLEU: n-gram precision against references, with a penalty for brevity."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind
from evalwright.scorers.base import ExpectedPath, FieldPath, RuleScorer, answer_text, references
from evalwright.scorers.similarity.tokenizers import TOKENIZERS, Ngrams, ngrams

Smoothing = Literal["exp", "floor", "add_k", "none"]

_FLOOR = 0.1
_ADD_K = 1.0

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Bleu(RuleScorer):
    """BLEU against one or several references, 0 to 100; the metric is corpus BLEU over all cases.

    Papineni et al. 2002 (ACL P02-1040), with the tokenisers and smoothing of sacrebleu (Post 2018, arXiv 1804.08771). A
    case's own value is sentence BLEU over the orders its text has (`effective_order`); the metric sums the counts of
    all cases first, and so is no mean of the rows.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="bleu", kind=ScoreKind.CORPUS, high=100.0)

    _: KW_ONLY
    max_order: Annotated[int, Field(ge=1, le=9, description="Longest n-gram counted.")] = 4
    tokenize: Annotated[
        Literal["13a", "intl", "char", "none"],
        Field(description="`13a` for most languages, `intl` by Unicode classes, `char` for Chinese and Japanese."),
    ] = "13a"
    smooth: Annotated[
        Smoothing, Field(description="What counts for an order without a match: exponential decay, 0.1, +1, nothing.")
    ] = "exp"
    effective_order: Annotated[
        bool, Field(description="A case's own value leaves out orders longer than its text.")
    ] = True
    ignore_case: Annotated[bool, Field(description="Upper and lower case are the same.")] = False
    expected: ExpectedPath = None
    field: FieldPath = None

    def judge(self, ctx: ScoreContext) -> Score:
        """Sentence BLEU, with the counts that corpus BLEU is made from."""
        accepted = references(ctx, self.expected)
        answer = self._tokens(answer_text(ctx, self.field))
        counts = self._counts(answer, [self._tokens(item) for item in accepted])
        value = float(bleu(counts, self.smooth, effective_order=self.effective_order))
        reason = f"{int(counts[0])} tokens against {int(counts[1])} in the nearest reference"
        return Score.of(value, reason=reason, stats=tuple(counts.tolist()))

    def aggregate(self, sums: Array) -> Array:
        """Corpus BLEU from summed counts, shape (..., 2 + 2 * max_order) to (...)."""
        return bleu(sums, self.smooth, effective_order=False)

    def _tokens(self, text: str) -> list[str]:
        return TOKENIZERS[self.tokenize](text.lower() if self.ignore_case else text)

    def _counts(self, answer: list[str], accepted: list[list[str]]) -> Array:
        nearest = min((abs(len(item) - len(answer)), len(item)) for item in accepted)[1]
        matched, total = [], []
        for order in range(1, self.max_order + 1):
            grams = ngrams(answer, order)
            most = Ngrams()
            for item in accepted:
                most |= ngrams(item, order)
            matched.append((grams & most).total())
            total.append(max(0, len(answer) - order + 1))
        return np.array([len(answer), nearest, *matched, *total], dtype=np.float64)


def bleu(counts: Array, smooth: Smoothing, *, effective_order: bool) -> Array:
    """BLEU from counts.

    Args:
        counts: Shape (..., 2 + 2k): answer length, reference length, k matched and k total n-gram counts.
        smooth: What counts for an order without a match.
        effective_order: Average over the orders the answer has, instead of all k.

    Returns:
        Shape (...), 0 to 100; 0 where nothing matches.
    """
    counts = np.asarray(counts, dtype=np.float64)
    orders = (counts.shape[-1] - 2) // 2
    length, reference = counts[..., 0], counts[..., 1]
    matched, total = counts[..., 2 : 2 + orders], counts[..., 2 + orders :]
    precision, present = _precisions(matched, total, smooth)
    used = present.sum(axis=-1) if effective_order else np.full(length.shape, orders)
    kept = present if effective_order else np.ones_like(present)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(kept, np.log(precision), 0.0).sum(axis=-1) / np.maximum(used, 1)
        brevity = np.where(length < reference, np.exp(1.0 - reference / length), 1.0)
    value = np.where(matched.any(axis=-1), brevity * np.exp(logs), 0.0)
    result: Array = 100.0 * np.nan_to_num(np.minimum(value, 1.0))
    return result


def _precisions(matched: Array, total: Array, smooth: Smoothing) -> tuple[Array, NDArray[np.bool_]]:
    """Smoothed precision of each order, 0 to 1, and whether the answer has n-grams of it."""
    if smooth == "add_k":
        later = np.arange(matched.shape[-1]) > 0
        matched, total = matched + _ADD_K * later, total + _ADD_K * later
    present = np.cumprod(total > 0, axis=-1).astype(bool)
    none = present & (matched == 0)
    stand_in = {"exp": 0.5 ** np.cumsum(none, axis=-1), "floor": np.full(matched.shape, _FLOOR)}.get(smooth)
    hits = matched if stand_in is None else np.where(none, stand_in, matched)
    return np.divide(hits, total, out=np.zeros_like(hits), where=present), present
