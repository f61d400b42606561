"""The gate on a real silent model update: a paired rule fails it and names the size of the drop."""

import pytest

from evalwright.core.gate import Verdict
from evalwright.services.baselines import set_baseline
from evalwright.services.gating import gate_run
from tests.shared.test_compare_real import happy_numbers

pytestmark = pytest.mark.shared
POLICY = """\
- { metric: right, max_drop: 0.02 }
- { metric: right, at_least: 0.8 }
- { newly_failing: {}, at_most: 10 }
- { metric: cost, max_drop: 0.001 }
"""


def test_the_silent_update_of_gpt_4_fails_and_the_reason_names_the_drop(tmp_path):
    bench, answers = happy_numbers(tmp_path)
    before = bench.run("gpt-4-0314", answers("gpt-4-0314"))
    set_baseline(bench.workspace, before.run_id)
    after = bench.run("gpt-4-0613", answers("gpt-4-0613"))
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    decision = gate_run(bench.workspace, after, policy=policy).decision
    assert decision.verdict is Verdict.FAIL
    assert [result.verdict.value for result in decision.results] == ["fail", "fail", "fail", "pass"]
    assert decision.results[0].reason == (
        "dropped by 0.484, from 0.836 to 0.352 on the same 500 cases; "
        "we can be 95 % sure that it is worse by at least 0.4388"
    )
    assert decision.results[2].newly.count == 269
    assert decision.baseline == before.run_id


def test_the_same_model_against_itself_passes(tmp_path):
    bench, answers = happy_numbers(tmp_path)
    first = bench.run("gpt-4-0314", answers("gpt-4-0314"))
    set_baseline(bench.workspace, first.run_id)
    again = bench.run("gpt-4-0314", answers("gpt-4-0314"))
    policy = tmp_path / "policy.yaml"
    policy.write_text("- { metric: right, max_drop: 0.02 }\n")
    decision = gate_run(bench.workspace, again, policy=policy).decision
    assert decision.verdict is Verdict.PASS
    assert "on the same 500 cases" in decision.reason
