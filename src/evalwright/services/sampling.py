"""Samples of a set that use what past runs and the texts show, with the record that lets them be drawn again."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from scipy import stats

from evalwright.core.errors import ConfigError, Problem, UsageError
from evalwright.datasets import minhash
from evalwright.datasets.choosing import (
    Anchors,
    FloatArray,
    HeldOut,
    IntArray,
    anchors,
    diverse,
    failing_weights,
    held_out,
    uncertain_weights,
    weighted_draw,
)
from evalwright.datasets.embedding import embed
from evalwright.datasets.health import input_text
from evalwright.datasets.sampling import SampleSpec, draw
from evalwright.services.history import History, case_means, history_of
from evalwright.store.cases import CaseFile
from evalwright.store.files import write_atomic
from evalwright.store.results import RunStore
from evalwright.store.workspace import Workspace

Method = Literal["random", "failures", "uncertainty", "diverse", "smoke"]
METHODS: tuple[Method, ...] = ("random", "failures", "uncertainty", "diverse", "smoke")
MAX_DIVERSE = 20_000
"""Of a larger set, so many cases drawn at random are looked at for diversity."""


class SamplePlan(msgspec.Struct, frozen=True, kw_only=True):
    """How to draw.

    Attributes:
        spec: Size, seed, strata and mix.
        method: `random` (with the strata of `spec`), `failures`, `uncertainty`, `diverse` or `smoke`.
        metric: Metric of past runs; the first of the newest run when None.
        model: Folder of a model2vec model for `diverse`; MinHash of the texts when None.
    """

    spec: SampleSpec
    method: Method = "random"
    metric: str | None = None
    model: Path | None = None


class SampleRecord(msgspec.Struct, frozen=True, kw_only=True):
    """How a sample was drawn, kept beside it.

    Attributes:
        source: The set.
        digest: Content hash of its cases.
        cases: Cases of the set.
        method: How.
        seed: Of the draw.
        ids: The cases drawn.
        stratify_by: Paths of the strata.
        mix: Shares asked for.
        metric: Metric of the past runs used.
        systems: Systems whose runs were used.
        similarity: `minhash`, or the model's folder.
        anchors: Weights of a smoke subset, in the order of `ids`.
        held_out: How well such a subset foretells systems it was made without.
        error: Root mean square of that error over the systems; None with fewer than two.
    """

    source: str
    digest: str
    cases: int
    method: Method
    seed: int
    ids: tuple[str, ...]
    stratify_by: tuple[str, ...] = ()
    mix: dict[str, float] = {}
    metric: str = ""
    systems: tuple[str, ...] = ()
    similarity: str = ""
    anchors: Anchors | None = None
    held_out: tuple[HeldOut, ...] = ()
    error: float | None = None
    format: int = 1


def draw_sample(workspace: Workspace, source: str, cases: CaseFile, plan: SamplePlan) -> tuple[IntArray, SampleRecord]:
    """Indices drawn, and the record of the draw.

    Raises:
        UsageError: The size does not fit, or past runs are needed and there are none.
    """
    spec = plan.spec
    rng = np.random.default_rng(spec.seed)
    more: dict[str, object] = {}
    if plan.method == "random":
        chosen = draw(cases, spec)
        more = {"stratify_by": spec.stratify_by, "mix": spec.mix}
    elif plan.method == "diverse":
        chosen = _diverse(cases, plan, rng)
        more = {"similarity": "minhash" if plan.model is None else str(plan.model)}
    else:
        chosen, more = _by_history(history_of(workspace, cases, plan.metric), plan, rng)
    ids = tuple(cases[int(index)].id for index in chosen)
    record = SampleRecord(
        source=source, digest=cases.digest, cases=len(cases), method=plan.method, seed=spec.seed, ids=ids
    )
    return chosen, msgspec.structs.replace(record, **more)


def _by_history(known: History, plan: SamplePlan, rng: np.random.Generator) -> tuple[IntArray, dict[str, object]]:
    if not known.systems:
        raise UsageError(
            f"no past run scored these cases{f' by {plan.metric}' if plan.metric else ''}",
            hint=f"`--method {plan.method}` rests on runs of this workspace: run a suite on the set first",
        )
    size = min(plan.spec.size, known.outcomes.shape[1])
    if plan.method == "smoke":
        return _smoke(known.whole(), size, plan.spec.seed, rng)
    weights = failing_weights if plan.method == "failures" else uncertain_weights
    chosen = weighted_draw(weights(known.outcomes), size, rng)
    return chosen, {"metric": known.metric, "systems": tuple(known.systems)}


def _smoke(known: History, size: int, seed: int, rng: np.random.Generator) -> tuple[IntArray, dict[str, object]]:
    made = anchors(known.outcomes, size, rng)
    tried = held_out(known.outcomes, known.systems, size, seed=seed)
    error = math.sqrt(sum(one.error**2 for one in tried) / len(tried)) if tried else None
    more = {"metric": known.metric, "systems": tuple(known.systems), "anchors": made, "held_out": tuple(tried)}
    return np.array(made.index, dtype=np.int64), {**more, "error": error}


def _diverse(cases: CaseFile, plan: SamplePlan, rng: np.random.Generator) -> IntArray:
    looked = np.arange(len(cases), dtype=np.int64)
    if len(cases) > MAX_DIVERSE:
        looked = np.sort(rng.choice(len(cases), size=max(MAX_DIVERSE, plan.spec.size), replace=False))
    texts = (minhash.normal_text(input_text(cases[int(index)].input)) for index in looked)
    if plan.model is None:
        distance = _minhash_distance(minhash.signatures(texts, len(looked)))
    else:
        distance = _vector_distance(embed(texts, plan.model).astype(np.float64))
    return looked[diverse(len(looked), plan.spec.size, distance, rng)]


def _minhash_distance(made: minhash.Signatures) -> Callable[[int], FloatArray]:
    return lambda index: 1.0 - np.asarray((made == made[index]).mean(axis=1), dtype=np.float64)


def _vector_distance(vectors: FloatArray) -> Callable[[int], FloatArray]:
    return lambda index: 1.0 - np.asarray(vectors @ vectors[index], dtype=np.float64)


def record_path(output: Path) -> Path:
    """Where the record of a sample lies: `smoke.sample.json` beside `smoke.jsonl`."""
    return output.with_suffix(".sample.json")


def write_record(output: Path, record: SampleRecord) -> Path:
    """Keep the record beside the sample."""
    path = record_path(output)
    write_atomic(path, msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")
    return path


def read_record(path: Path) -> SampleRecord:
    """The record of a sample.

    Raises:
        ConfigError: It can't be read.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=SampleRecord)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError([Problem(message=f"no record of a sample: {error}", file=str(path))]) from error


class Foretold(msgspec.Struct, frozen=True, kw_only=True):
    """What a run on a smoke subset says of the whole set.

    Attributes:
        metric: The metric.
        value: Its value on the whole set, foretold.
        low: Lower end of the 95 % interval.
        high: Upper end.
        n: Cases of the subset that were scored.
        cases: Cases of the set.
        error: Root mean square error on systems left out when the subset was made; None when not known.
    """

    metric: str
    value: float
    low: float
    high: float
    n: int
    cases: int
    error: float | None = None


def foretell(run: RunStore, record: SampleRecord, *, level: float = 0.95) -> Foretold:
    """The whole set's mean from a run on its smoke subset.

    A stratified estimate: Σ w_h m_h with the variance of cases within their groups, pooled, and the correction for a
    finite set; Student's interval with n - groups degrees of freedom, cut at the metric's range.

    Raises:
        UsageError: The record is of no smoke subset, or the run lacks its cases or metric.
    """
    made = record.anchors
    if made is None:
        raise UsageError("the record is of no smoke subset", hint="evalwright dataset sample --method smoke")
    if record.metric not in run.metrics():
        raise UsageError(f"the run {run.run_id} has no metric `{record.metric}`", hint="the subset was made for it")
    scores = _scores(run, record)
    known = ~np.isnan(scores)
    if known.mean() < 0.5:
        raise UsageError(f"the run {run.run_id} scored {known.sum():,} of the subset's {len(scores):,} cases")
    value, half = made.predict(scores), _half_width(scores, made, level)
    scorer = next((r for r in run.scorers() if r.metric == record.metric), None)
    low = -math.inf if scorer is None or scorer.low is None else scorer.low
    high = math.inf if scorer is None or scorer.high is None else scorer.high
    span = 1.0 if not math.isfinite(high - low) else high - low
    return Foretold(
        metric=record.metric,
        value=value,
        low=max(low, value - half),
        high=min(high, value + half),
        n=int(known.sum()),
        cases=record.cases,
        error=None if record.error is None else record.error * span,
    )


def _scores(run: RunStore, record: SampleRecord) -> FloatArray:
    means = case_means(run, record.metric)
    found = np.full(len(record.ids), np.nan)
    for place, case_id in enumerate(record.ids):
        try:
            found[place] = means[run.cases.find(case_id)]
        except KeyError:
            continue
    return found


def _half_width(scores: FloatArray, made: Anchors, level: float) -> float:
    known = np.flatnonzero(~np.isnan(scores))
    values, groups = scores[known], np.array(made.stratum)[known]
    present, place, counts = np.unique(groups, return_inverse=True, return_counts=True)
    centred = values - (np.bincount(place, weights=values) / counts)[place]
    free = len(values) - len(present)
    spread = float((centred**2).sum() / free) if free > 0 else float(values.var(ddof=1)) if len(values) > 1 else 0.25
    smoothed = max(spread, 0.25 / (len(values) + 2.0))
    sizes = np.array(made.sizes)[present]
    shares = sizes / sizes.sum()
    variance = smoothed * float((shares**2 / counts * (1.0 - counts / sizes)).sum())
    return float(stats.t.ppf(0.5 + level / 2.0, max(free, 1))) * math.sqrt(variance)
