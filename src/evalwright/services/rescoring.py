"""Scoring stored outputs again: other scorers, slices or rules on the same answers, with no call of the target."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

from evalwright.core.result import Summary
from evalwright.core.run import Manifest, RunStatus, ScorerRecord, UnitRecord
from evalwright.core.score import Score
from evalwright.services.corrections import with_corrections
from evalwright.services.evaluation import RunContext, gate_request
from evalwright.services.figures import RunEnd, aggregates_of, summarise
from evalwright.services.gating import judge
from evalwright.services.judging import Bench
from evalwright.services.run_notes import lasting
from evalwright.services.sources import RunSource, scorer_record, scorer_resources
from evalwright.store.cards import CardStore
from evalwright.store.results import RunStore

ScoredUnit = tuple[str, int, dict[str, Score]]


def rescore(run: RunStore, source: RunSource, context: RunContext) -> Summary:
    """Score a run's stored outputs with the scorers of a suite, and decide its gate anew.

    The outputs stay as they are and the former scores are kept beside the new ones, which become the current ones.

    Raises:
        DiskFull: No space is left; the former scores stay the current ones.
    """
    records = tuple(map(scorer_record, source.scorers))
    bench = Bench(source.scorers, source.settings, media=context.workspace.blobs)
    run.write_scores(_scored(run, source, bench), scorers=records, created_at=context.clock.now())
    former = run.summary()
    end = RunEnd(
        status=former.status if former else RunStatus.INTERRUPTED,
        notes=(*lasting(former.notes if former else ()), _note(run.manifest(), records), *_spent(bench)),
        limits=former.limits if former else (),
    )
    manifest = _manifest(run.manifest(), source, records)
    request = gate_request(source, context)
    aggregates = aggregates_of(source.scorers)
    summary = summarise(run, lambda f: judge(run, f, request), end, aggregates=aggregates, manifest=manifest)
    summary = with_corrections(summary, run, CardStore(context.workspace.root))
    run.write_summary(summary)
    context.workspace.finish(summary, finished_at=context.clock.now())
    return summary


def _scored(run: RunStore, source: RunSource, bench: Bench) -> Iterator[ScoredUnit]:
    """Scores of every stored answer; as many at once as the settings allow where scorers call models."""
    size = source.settings.concurrency if scorer_resources(source.scorers) else 1
    answered = ((index, record) for index, record in run.units() if record.output is not None)
    with asyncio.Runner() as loop:
        opened = bench.opened()
        loop.run(opened.__aenter__())
        try:
            while batch := list(islice(answered, size)):
                scores = loop.run(_batch(bench, run, batch))
                for (_, record), found in zip(batch, scores, strict=True):
                    yield record.case_id, record.trial, found
        finally:
            loop.run(opened.__aexit__(None, None, None))


async def _batch(bench: Bench, run: RunStore, batch: Sequence[tuple[int, UnitRecord]]) -> list[dict[str, Score]]:
    waiting = [
        bench.scores(run.cases[index], record.output, trial=record.trial)
        for index, record in batch
        if record.output is not None
    ]
    return [await waiting[0]] if len(waiting) == 1 else list(await asyncio.gather(*waiting))


def _note(manifest: Manifest, records: tuple[ScorerRecord, ...]) -> str:
    before = {record.metric: record.digest for record in manifest.scorers}
    changed = [r.metric for r in records if before.get(r.metric) != r.digest]
    what = f"changed or new: {', '.join(changed)}" if changed else "the same scorers"
    return f"scored again from stored outputs ({what})"


def _spent(bench: Bench) -> list[str]:
    if not bench.spending.calls:
        return []
    cost = bench.spending.cost
    return [f"scoring again took {bench.spending.calls} calls of judges" + (f", {cost:.4f} USD" if cost else "")]


def _manifest(manifest: Manifest, source: RunSource, records: tuple[ScorerRecord, ...]) -> Manifest:
    return msgspec.structs.replace(
        manifest,
        scorers=records,
        slices={name: msgspec.to_builtins(spec) for name, spec in source.slices.items()},
        gate=tuple(msgspec.to_builtins(rule) for rule in source.rules),
    )
