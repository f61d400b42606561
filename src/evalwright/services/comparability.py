"""Whether two runs can be compared, and what their differences mean: told before any figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from evalwright.core.case import Json
from evalwright.core.comparison import Mismatch, Weight
from evalwright.core.run import Manifest, RunStatus, ScorerRecord
from evalwright.services.pairing import PairedRuns
from evalwright.services.run_columns import RunColumns

JUDGE_KEYS = ("judge", "rubric", "model", "prompt")
"""Options of a scorer that make it a judge; a change in one of them is named as such."""

SHOWN = 5
DIGEST = 64
"""Hex digits of a content hash, shown shortened."""
_ORDER = {Weight.BREAKS: 0, Weight.LIMITS: 1, Weight.EXPLAINS: 2}


def mismatches(runs: PairedRuns) -> tuple[Mismatch, ...]:
    """Everything that is not the same in the two runs, gravest first."""
    found = [*_cases(runs), *_scorers(runs), *_circumstances(runs.baseline, runs.candidate), *_target(runs)]
    return tuple(sorted(found, key=lambda mismatch: _ORDER[mismatch.weight]))


def _cases(runs: PairedRuns) -> Iterator[Mismatch]:
    pairing = runs.alignment.pairing
    if not pairing.pairs or pairing.baseline_only or pairing.candidate_only:
        yield _other_cases(runs)
    if pairing.changed and pairing.pairs:
        named = ", ".join(runs.alignment.changed)
        more = ", …" if pairing.changed > len(runs.alignment.changed) else ""
        yield Mismatch(
            what="case contents",
            weight=Weight.LIMITS,
            meaning=f"{pairing.changed:,} cases ask or expect something else under the same id and are left out: "
            f"{named}{more}.",
        )
    if pairing.relabelled:
        yield Mismatch(
            what="case labels",
            weight=Weight.LIMITS,
            meaning=f"{pairing.relabelled:,} cases have other metadata, tags or clusters; the candidate's are used.",
        )
    yield from _datasets(runs)


def _other_cases(runs: PairedRuns) -> Mismatch:
    pairing = runs.alignment.pairing
    meaning = (
        f"Only the {pairing.pairs:,} cases both runs have are compared; {pairing.baseline_only:,} are only in the "
        f"baseline, {pairing.candidate_only:,} only in the candidate."
    )
    if not pairing.pairs:
        meaning = "The runs have no case in common: the same ids with the same inputs and expectations are needed."
    return Mismatch(
        what="cases",
        weight=Weight.LIMITS if pairing.pairs else Weight.BREAKS,
        baseline=f"{len(runs.baseline.run.cases):,} cases",
        candidate=f"{len(runs.candidate.run.cases):,} cases",
        meaning=meaning,
    )


def _datasets(runs: PairedRuns) -> Iterator[Mismatch]:
    manifests = runs.baseline.manifest, runs.candidate.manifest
    left, right = (manifest.dataset.digest[:12] if manifest.dataset else "" for manifest in manifests)
    if left != right:
        yield Mismatch(
            what="dataset",
            weight=Weight.LIMITS,
            baseline=left,
            candidate=right,
            meaning="The dataset was changed between the runs; cases are matched by id and content.",
        )


def _scorers(runs: PairedRuns) -> Iterator[Mismatch]:
    left, right = runs.baseline.columns, runs.candidate.columns
    for name in runs.differently_scored:
        yield _other_scorer(left[name].record, right[name].record, runs)
    for side, other, columns in (("baseline", right, left), ("candidate", left, right)):
        only = [name for name in columns if name not in other]
        if only:
            yield Mismatch(
                what="metrics",
                weight=Weight.LIMITS,
                metrics=tuple(only),
                meaning=f"Only the {side} has {_listed(only)}: not compared.",
            )


def _other_scorer(left: ScorerRecord, right: ScorerRecord, runs: PairedRuns) -> Mismatch:
    changed = _changed(left.options, right.options)
    judged = [key for key in changed if any(word in key for word in JUDGE_KEYS)]
    what = "judge" if judged else "scorer"
    how = f"its {_listed(changed)} changed" if changed else _version_words(left, right)
    return Mismatch(
        what=what,
        weight=Weight.BREAKS,
        baseline=f"{left.name} {left.version} ({left.digest[:8]})",
        candidate=f"{right.name} {right.version} ({right.digest[:8]})",
        metrics=(right.metric,),
        meaning=f"`{right.metric}` is scored in two ways ({how}) and is not compared. Score the stored answers of the "
        f"baseline again with today's suite: evalwright score {runs.baseline.run.run_id} --suite SUITE",
    )


def _version_words(left: ScorerRecord, right: ScorerRecord) -> str:
    if (left.name, left.version) != (right.name, right.version):
        return f"{left.name} {left.version} against {right.name} {right.version}"
    return "its threshold or direction changed"


def _changed(left: Mapping[str, Json], right: Mapping[str, Json]) -> list[str]:
    return sorted(key for key in {*left, *right} if left.get(key) != right.get(key))


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:SHOWN])
    return shown + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _circumstances(left: RunColumns, right: RunColumns) -> Iterator[Mismatch]:
    one, other = left.manifest, right.manifest
    if one.suite != other.suite:
        yield Mismatch(
            what="suite",
            weight=Weight.LIMITS,
            baseline=one.suite,
            candidate=other.suite,
            meaning="The runs are of two suites; metrics of the same name and scorer are compared.",
        )
    if one.settings.trials != other.settings.trials:
        yield Mismatch(
            what="trials",
            weight=Weight.LIMITS,
            baseline=str(one.settings.trials),
            candidate=str(other.settings.trials),
            meaning="The runs repeated each case differently often; a case counts with the mean of its trials.",
        )
    slices = _changed(one.slices, other.slices)
    if slices:
        yield Mismatch(
            what="slices",
            weight=Weight.LIMITS,
            meaning=f"The definitions of {_listed(slices)} differ; the candidate's are used for both runs.",
        )
    for side, columns in (("baseline", left), ("candidate", right)):
        yield from _side(side, columns)


def _side(side: str, columns: RunColumns) -> Iterator[Mismatch]:
    summary = columns.run.summary()
    status = summary.status if summary is not None else RunStatus.RUNNING
    if status is not RunStatus.COMPLETE:
        yield Mismatch(
            what="status",
            weight=Weight.LIMITS,
            meaning=f"The {side} is not complete ({status.value}): cases it did not get to are missing.",
        )
    units = columns.units
    errored = int(units.errored.sum())
    if errored:
        yield Mismatch(
            what="errors",
            weight=Weight.LIMITS,
            meaning=f"The {side} has no answer for {errored:,} of {len(units.errored):,} units; these have no score.",
        )
    cached = int(units.cached.sum())
    if cached:
        yield Mismatch(
            what="cache",
            weight=Weight.LIMITS,
            metrics=("latency", "cost"),
            meaning=f"{cached:,} answers of the {side} came from the cache: latency and cost are those of then.",
        )


def _target(runs: PairedRuns) -> Iterator[Mismatch]:
    left, right = runs.baseline.manifest, runs.candidate.manifest
    if left.target_hash == right.target_hash:
        yield Mismatch(
            what="target",
            weight=Weight.EXPLAINS,
            baseline=left.target_name,
            candidate=right.target_name,
            meaning="Both runs are of the same target: what differs between them is chance, or what the target's "
            "configuration does not show (a model updated by its provider, a changed index).",
        )
        return
    changed = _changed(left.target, right.target)
    for key in changed[:SHOWN]:
        yield Mismatch(
            what=f"target {key}",
            weight=Weight.EXPLAINS,
            baseline=_short(left.target.get(key)),
            candidate=_short(right.target.get(key)),
            meaning=f"The target's {key} differs.",
        )
    if left.code.commit != right.code.commit:
        yield Mismatch(
            what="code",
            weight=Weight.EXPLAINS,
            baseline=_commit(left),
            candidate=_commit(right),
            meaning="The runs were started from different versions of the code.",
        )


def _short(value: Json) -> str:
    text = "" if value is None else str(value)
    if len(text) == DIGEST and all(char in "0123456789abcdef" for char in text):
        return text[:12]
    return text if len(text) <= 120 else text[:119] + "…"


def _commit(manifest: Manifest) -> str:
    return (manifest.code.commit or "")[:12] + (" with changes" if manifest.code.dirty else "")
