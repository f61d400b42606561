"""`evaluate` with a baseline and with early stopping, as the command line has them."""

import pytest

from evalwright import Case, Suite, evaluate
from evalwright.core.errors import UsageError
from evalwright.core.gate import Rule, Verdict
from evalwright.core.run import RunStatus
from evalwright.scorers import ExactMatch

RULE = Rule(metric="exact_match", at_least=0.9)
CASES = [Case(id=f"q{n}", input=f"{n}", expected=f"{n}") for n in range(400)]


def suite(*rules):
    return Suite(name="numbers", cases=CASES, scorers=[ExactMatch()], gate=list(rules))


def right(text):
    return text


def worse(text):
    return text if int(text) % 4 else "no"


def test_a_rule_compares_with_the_baseline_that_is_given(tmp_path):
    rule = Rule(metric="exact_match", versus="baseline", max_drop=0.02)
    before = evaluate(suite(), target=right, workspace=tmp_path)
    for baseline in (before, before.run_id):
        after = evaluate(suite(rule), target=worse, workspace=tmp_path, baseline=baseline)
        assert after.decision.verdict is Verdict.FAIL
        assert after.decision.baseline == before.run_id
    with pytest.raises(UsageError):
        evaluate(suite(rule), target=right, workspace=tmp_path, baseline="no-such-run")


@pytest.mark.parametrize("method", [True, "looks", "always"])
def test_it_stops_when_the_gate_is_decided(tmp_path, method):
    run = evaluate(suite(RULE), target=worse, workspace=tmp_path, until_decided=method)
    assert run.status is RunStatus.DECIDED
    assert run.decision.verdict is Verdict.FAIL
    assert run.totals.done < len(CASES)


def test_what_can_not_be_is_told(tmp_path):
    with pytest.raises(UsageError, match="until_decided"):
        evaluate(suite(RULE), target=right, workspace=tmp_path, until_decided="often")
    with pytest.raises(UsageError, match="nothing can be decided early"):
        evaluate(suite(), target=right, workspace=tmp_path, until_decided=True)
