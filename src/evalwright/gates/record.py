"""The decision record: the gate's verdict with every input it rests on, kept beside the run."""

from __future__ import annotations

import msgspec

from evalwright.core.gate import Decision
from evalwright.store.governance import Waiver

FILE = "decision.json"
"""Name of the record in a run's folder."""


class DecisionRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was decided, on what, by which rules.

    Attributes:
        run_id: The run that was judged.
        run_digest: Content hash of what the judged figures are made from.
        decision: Verdict, rules and figures.
        policy: File the rules were read from; empty for those the run was started with.
        suite: Name of the suite.
        suite_hash: Content hash of the suite.
        target_hash: Content hash of the target.
        dataset_digest: Content hash of the cases.
        baseline_digest: As `run_digest`, of the baseline run.
        waivers: Waivers that were used.
        quarantined: Ids of cases that did not count.
        decided_at: Seconds since the epoch.
        version: Version of Evalwright that decided.
        format: Version of this record.
    """

    run_id: str
    run_digest: str
    decision: Decision
    policy: str = ""
    suite: str = ""
    suite_hash: str = ""
    target_hash: str = ""
    dataset_digest: str = ""
    baseline_digest: str = ""
    waivers: tuple[Waiver, ...] = ()
    quarantined: tuple[str, ...] = ()
    decided_at: float = 0.0
    version: str = ""
    format: int = 1
