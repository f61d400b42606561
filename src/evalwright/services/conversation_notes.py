"""What a run of conversations says at its head: what simulated users took and how they ended, what replays found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from evalwright.core.case import Json
from evalwright.core.run import Manifest, UnitRecord
from evalwright.core.target import Helpers, helpers_of
from evalwright.store.results import RunStore

_ENDS = {"goal_reached": "reached their goal", "gave_up": "gave up", "limit": "used up their turns"}


def conversation_notes(run: RunStore) -> tuple[str, ...]:
    """Notes on the conversations of a run; none for runs of anything else."""
    if not _talks(run.manifest()):
        return ()
    seen = _Seen()
    for _, record in run.units():
        seen.add(record)
    return tuple(seen.notes())


def _talks(manifest: Manifest) -> bool:
    target = manifest.target
    return target.get("type") == "dialogue" and ("user" in target or "replay" in target)


@dataclass(slots=True)
class _Seen:
    """Counts over the units of a run."""

    ends: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    tokens: int = 0
    cost: float | None = None
    replayed: int = 0
    diverged: list[tuple[str, int]] = field(default_factory=list)

    def add(self, record: UnitRecord) -> None:
        if record.output is None:
            return
        metadata = record.output.metadata
        if isinstance(talk := metadata.get("conversation"), dict):
            self.ends[str(talk.get("ended"))] += 1
        spent = helpers_of(record.output)
        if spent is not None and not record.cached:
            self._pay(spent)
        if isinstance(replay := metadata.get("replay"), dict):
            self._replay(record, replay)

    def _pay(self, spent: Helpers) -> None:
        self.calls += spent.calls
        self.tokens += spent.tokens
        if spent.cost is not None:
            self.cost = spent.cost + (self.cost or 0.0)

    def _replay(self, record: UnitRecord, replay: dict[str, Json]) -> None:
        self.replayed += 1
        if isinstance(turn := replay.get("diverged_at"), int):
            self.diverged.append((record.case_id, turn))

    def notes(self) -> Iterator[str]:
        if self.ends:
            how = ", ".join(f"{count} {_ENDS.get(end, end)}" for end, count in self.ends.most_common())
            cost = "" if self.cost is None else f", {self.cost:.4f} USD"
            took = f"{self.calls} calls, {self.tokens} tokens{cost}, apart from the target's"
            yield f"simulated users: {how}; their model took {took}"
        if self.replayed:
            first = f", first `{self.diverged[0][0]}` at user turn {self.diverged[0][1]}" if self.diverged else ""
            differ = f"{len(self.diverged)} were answered otherwise than recorded{first}"
            yield f"{self.replayed} conversations played again without the user's model: {differ}"
