"""How a conversation with a simulated or a replayed user went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from evalwright.core.case import Json
from evalwright.core.score import Evidence, Score
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind
from evalwright.scorers.base import NotApplicable, RuleScorer


@dataclass(frozen=True)
class UserGoal(RuleScorer):
    """The simulated user says that its goal is reached; giving up and using up all turns count as not reached.

    A claim of the model that plays the user, not a measurement: calibrate it against people's labels, or check the
    state itself with `goal_state`. The part `turns` is how many turns it took.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="user_goal", kind=ScoreKind.PROPORTION)

    def judge(self, ctx: ScoreContext) -> Score:
        """1 when the goal was reached, with the user's reason."""
        talk = _record(ctx, "conversation", "a simulated user")
        ended, turns = str(talk.get("ended")), talk.get("turns")
        parts = {"turns": float(turns)} if isinstance(turns, int) else {}
        reason = f"{ended}: {talk.get('reason') or 'no reason given'}"
        return Score.of(ended == "goal_reached", reason=reason, label=ended, parts=parts)


@dataclass(frozen=True)
class ReplaySame(RuleScorer):
    """Share of the replayed user turns that the target answered as it did in the record (but for spaces)."""

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="replay_same")

    def judge(self, ctx: ScoreContext) -> Score:
        """The share; the first answer that differs is the evidence."""
        replay = _record(ctx, "replay", "a replay")
        turns, same = replay.get("turns"), replay.get("same", 0)
        if not isinstance(turns, int) or not isinstance(same, int) or turns < 1:
            raise NotApplicable("the replay does not say how many turns it has")
        at = replay.get("diverged_at")
        evidence = (Evidence(text=str(replay.get("answered") or "")[:300], note=f"at user turn {at}"),) if at else ()
        reason = f"{same} of {turns} turns answered as recorded"
        return Score.of(same / turns, passed=same == turns, reason=reason, evidence=evidence)


def _record(ctx: ScoreContext, key: str, what: str) -> Mapping[str, Json]:
    found = ctx.output.metadata.get(key)
    if not isinstance(found, dict):
        raise NotApplicable(f"the output is not from a conversation with {what}")
    return found
