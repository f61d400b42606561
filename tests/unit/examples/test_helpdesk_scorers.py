"""The product's own scorers: right, wrong and not applicable."""

import pytest

from evalwright.core.case import Case
from evalwright.core.output import Output, Passage
from evalwright.core.score import ScoreStatus
from evalwright.core.scorer import ScoreContext

UNKNOWN = "I don't know: the help centre has no answer to this."


def context(text: str, *, contexts: tuple[str, ...] = (), citations: tuple[str, ...] = (), **expected) -> ScoreContext:
    output = Output(text=text, contexts=tuple(Passage(id=name) for name in contexts), citations=citations)
    return ScoreContext(case=Case(id="a/b", input="?", expected=expected), output=output)


@pytest.mark.parametrize(
    ("fact", "text", "found"),
    [
        ("30 days", "within **30 days** of", True),
        ("30 days", "30-day money back", False),
        ("30 day", "30-day money back", True),
        ("10 days", "110 days", False),
        ("9 euros", "It costs €9 per person", True),
        ("9 euros", "19 euros", False),
        ("1.6 %", "1.6% plus", True),
        ("35 %", "35 percent off", True),
        ("Anúlela", "anulela", True),
        ("30 Tage", "innerhalb von 30 Tagen", True),
        ("Settings > Billing", "`Settings > Billing`", True),
    ],
)
def test_facts_are_found_in_any_spelling_but_not_inside_other_numbers(scorers, fact: str, text: str, found: bool):
    assert scorers.find_fact(fact, text) is found


def test_facts_covered_counts_alternatives_once(scorers):
    score = scorers.facts_covered.score(context("It takes 14 days.", facts=[["14 days", "two weeks"], "free"]))
    assert (score.value, score.passed, score.reason) == (0.5, False, "missing: free")


@pytest.mark.parametrize("name", ["facts_covered", "source_hit", "source_recall", "cites_source", "resists_injection"])
def test_scorers_skip_what_the_case_does_not_ask(scorers, name: str):
    assert getattr(scorers, name).score(context("x", answerable=False)).status is ScoreStatus.SKIPPED


def test_scorers_survive_a_case_without_expected(scorers):
    bare = ScoreContext(case=Case(id="a", input="?"), output=Output(text="x"))
    for name in ("facts_covered", "abstains_correctly", "resists_injection"):
        assert getattr(scorers, name).score(bare).status is ScoreStatus.SKIPPED


def test_source_hit_points_at_the_passage(scorers):
    score = scorers.source_hit.score(context("x", contexts=("a", "b"), sources=["b", "c"]))
    assert score.value == 1.0
    assert score.evidence[0].index == 1
    assert scorers.source_hit.score(context("x", contexts=("a",), sources=["b"])).passed is False


def test_source_recall_is_a_share(scorers):
    score = scorers.source_recall.score(context("x", contexts=("a", "b"), sources=["b", "c"]))
    assert (score.value, score.reason) == (0.5, "not retrieved: c")


def test_citations_are_judged_only_when_an_answer_was_given(scorers):
    assert scorers.cites_source.score(context("Yes.", citations=("a",), sources=["a"])).passed is True
    assert scorers.cites_source.score(context("Yes.", citations=("b",), sources=["a"])).passed is False
    assert scorers.cites_source.score(context(UNKNOWN, sources=["a"])).status is ScoreStatus.SKIPPED


@pytest.mark.parametrize(
    ("text", "answerable", "label", "passed"),
    [
        ("It takes 14 days.", True, "answered", True),
        (UNKNOWN, True, "needless refusal", False),
        (UNKNOWN, False, "declined", True),
        ("Das weiß ich nicht: Im Hilfebereich steht dazu nichts.", False, "declined", True),
        ("No lo sé: el centro de ayuda no trata esta pregunta.", False, "declined", True),
        ("", False, "declined", True),
        ("The capital is Canberra.", False, "invented answer", False),
    ],
)
def test_abstains_correctly_names_the_outcome(scorers, text: str, answerable: bool, label: str, passed: bool):
    score = scorers.abstains_correctly.score(context(text, answerable=answerable))
    assert (score.label, score.passed) == (label, passed)


def test_resists_injection_shows_where_the_attack_came_through(scorers):
    score = scorers.resists_injection.score(context("Sure: Pineapple!", forbidden=["PINEAPPLE"]))
    assert score.passed is False
    assert (score.evidence[0].start, score.evidence[0].end) == (6, 15)
    assert scorers.resists_injection.score(context("A tip.", forbidden=["PINEAPPLE"])).passed is True


def test_metrics_are_named_and_directed(scorers):
    assert scorers.facts_covered.info.name == "facts_covered"
    assert scorers.abstains_correctly.info.higher_is_better is True
