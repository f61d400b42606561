"""Routing policies measured on stored runs, from Python and the command line."""

import json

import pytest
from click.testing import CliRunner

from evalwright import Case, Output, Suite, evaluate
from evalwright.cli.route import route
from evalwright.core.errors import UsageError
from evalwright.scorers import ExactMatch
from evalwright.services.routing import RoutePlan, measure_routing
from evalwright.store.workspace import Workspace


def cases(n=60):
    return [
        Case(
            id=f"q{i:02d}",
            input=f"{i}",
            expected=f"{i}",
            metadata={"difficulty": i / 100, "model": "big" if i >= 30 else "small", "odd": "tiny"},
        )
        for i in range(n)
    ]


def model(name, cost, right):
    def answer(text):
        return Output(text=text if right(int(text)) else "?", cost=cost, model=name)

    answer.__name__ = answer.__qualname__ = name
    return answer


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    place = tmp_path_factory.mktemp("routing")
    suite = Suite(name="small", cases=cases(), scorers=[ExactMatch()])
    made = [model("mini", 0.001, lambda i: i < 30), model("maxi", 0.02, lambda i: i != 3)]
    found = [evaluate(suite, target, workspace=place) for target in made]
    workspace = Workspace(place)
    return place, [(name, workspace.run(run.run_id)) for name, run in zip(("small", "big"), found, strict=True)]


def by_name(report):
    return {p.name: p for p in report.points}


def test_a_field_names_the_model_of_each_case(runs):
    report = measure_routing(runs[1], RoutePlan(policy="metadata.model"))
    points = by_name(report)
    assert (report.cases, report.metric, report.cost, report.unit) == (60, "exact_match", "cost", "USD")
    assert points["always small"].quality.value == 0.5
    assert points["policy"].quality.value == 1.0
    assert points["policy"].cost.value == pytest.approx(0.0105)
    assert points["always big"].dominated_by == ("policy",)
    assert report.regret.value == 0.0
    gaps = {g.against: g for g in report.gaps}
    assert gaps["always small"].quality.low > 0.3
    assert gaps["chance"].quality.low > 0.0
    assert any("luck" in note for note in report.notes)


def test_a_threshold_is_measured_and_others_are_tried(runs):
    report = measure_routing(runs[1], RoutePlan(score="metadata.difficulty", threshold=0.45, max_drop=0.05))
    assert by_name(report)["policy"].quality.value == 0.75
    assert report.regret.value == pytest.approx(0.25)
    assert report.losses[0].loss.value == 0.0
    assert 0.2 < report.chosen <= 0.31
    assert report.losses[-1].safe is False
    assert any("measure it on others" in note for note in report.notes)


def test_a_metric_of_the_first_model_is_a_routing_score_and_a_cascade_pays_it(runs):
    plan = RoutePlan(score_metric="exact_match", threshold=0.5, low=True, cascade=True)
    points = by_name(measure_routing(runs[1], plan))
    assert points["policy"].quality.value == 1.0
    assert points["policy"].cost.value == pytest.approx(0.001 + 0.01)


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (RoutePlan(policy="metadata.odd"), "names the model 'tiny', which is none of small, big"),
        (RoutePlan(metric="bleu"), "do not share a metric `bleu`"),
        (RoutePlan(cost="output_tokens"), "not every run knows the output_tokens"),
        (RoutePlan(threshold=0.5), "needs a routing score"),
        (RoutePlan(max_drop=0.5), "needs a routing score"),
        (RoutePlan(score="metadata.odd"), "fewer than two cases"),
        (RoutePlan(score="metadata.difficulty", score_metric="exact_match"), "not both"),
        (RoutePlan(score_metric="bleu"), "has no metric `bleu`"),
        (RoutePlan(score="metadata.difficulty", policy="metadata.model", threshold=1.0), "not both"),
    ],
)
def test_a_plan_that_does_not_fit_says_why(runs, plan, message):
    with pytest.raises(UsageError, match=message):
        measure_routing(runs[1], plan)


def test_two_different_runs_are_needed(runs):
    with pytest.raises(UsageError, match="at least two models"):
        measure_routing(runs[1][:1])
    with pytest.raises(UsageError, match="given twice"):
        measure_routing([runs[1][0], ("other", runs[1][0][1])])


def test_cases_without_a_route_are_left_out_and_counted(runs):
    report = measure_routing(runs[1], RoutePlan(policy="metadata.difficulty > 0.1 ? metadata.model : null"))
    assert report.left_out == {"without a route": 11}
    assert report.cases == 49


def test_the_command_prints_tables_and_json(runs):
    place, ((_, small), (_, big)) = runs
    words = [f"small={small.run_id}", f"big={big.run_id}", "--score", "metadata.difficulty", "--threshold", "0.3"]
    shown = CliRunner().invoke(route, [*words, "--max-drop", "0.05", "-w", str(place)], catch_exceptions=False).output
    for text in ("always small", "oracle", "chance", "beaten", "Regret of the policy", "cost saved", "safe"):
        assert text in shown
    found = CliRunner().invoke(route, [*words, "--json", "-w", str(place)], catch_exceptions=False).output
    assert json.loads(found)["runs"][0] == {"name": "small", "run_id": small.run_id}


def test_runs_without_names_go_by_their_targets(runs):
    place, ((_, small), (_, big)) = runs
    words = [small.run_id, big.run_id, "--json", "-w", str(place)]
    found = json.loads(CliRunner().invoke(route, words, catch_exceptions=False).output)
    assert [run["name"] for run in found["runs"]] == ["mini", "maxi"]
