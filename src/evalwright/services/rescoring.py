"""Scoring stored outputs again: other scorers, slices or rules on the same answers, with no call of the target."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import msgspec

from evalwright.core.result import Summary
from evalwright.core.run import Manifest, RunStatus, ScorerRecord
from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext
from evalwright.engine.scoring import Scorers
from evalwright.services.evaluation import RunContext, gate_request
from evalwright.services.figures import RunEnd, aggregates_of, summarise
from evalwright.services.gating import judge
from evalwright.services.sources import RunSource, scorer_record
from evalwright.store.results import RunStore

ScoredUnit = tuple[str, int, dict[str, Score]]


def rescore(run: RunStore, source: RunSource, context: RunContext) -> Summary:
    """Score a run's stored outputs with the scorers of a suite, and decide its gate anew.

    The outputs stay as they are and the former scores are kept beside the new ones, which become the current ones.

    Raises:
        DiskFull: No space is left; the former scores stay the current ones.
    """
    records = tuple(map(scorer_record, source.scorers))
    run.write_scores(_scored(run, source), scorers=records, created_at=context.clock.now())
    former = run.summary()
    end = RunEnd(
        status=former.status if former else RunStatus.INTERRUPTED,
        notes=(*(former.notes if former else ()), _note(run.manifest(), records)),
        limits=former.limits if former else (),
    )
    manifest = _manifest(run.manifest(), source, records)
    request = gate_request(source, context)
    aggregates = aggregates_of(source.scorers)
    summary = summarise(run, lambda f: judge(run, f, request), end, aggregates=aggregates, manifest=manifest)
    run.write_summary(summary)
    context.workspace.catalog.finish(summary, finished_at=context.clock.now())
    return summary


def _scored(run: RunStore, source: RunSource) -> Iterator[ScoredUnit]:
    scorers = Scorers(source.scorers, timeout_s=source.settings.timeout_s)
    with asyncio.Runner() as loop:
        for index, record in run.units():
            if record.output is not None:
                context = ScoreContext(case=run.cases[index], output=record.output, trial=record.trial)
                yield record.case_id, record.trial, loop.run(scorers.score(context))


def _note(manifest: Manifest, records: tuple[ScorerRecord, ...]) -> str:
    before = {record.metric: record.digest for record in manifest.scorers}
    changed = [r.metric for r in records if before.get(r.metric) != r.digest]
    what = f"changed or new: {', '.join(changed)}" if changed else "the same scorers"
    return f"scored again from stored outputs ({what})"


def _manifest(manifest: Manifest, source: RunSource, records: tuple[ScorerRecord, ...]) -> Manifest:
    return msgspec.structs.replace(
        manifest,
        scorers=records,
        slices={name: msgspec.to_builtins(spec) for name, spec in source.slices.items()},
        gate=tuple(msgspec.to_builtins(rule) for rule in source.rules),
    )
