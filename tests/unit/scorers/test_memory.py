"""What conversations remember and forget: which answers are looked at, and what counts as bringing something up."""

import pytest

from evalwright.core.case import Case
from evalwright.core.output import Output
from evalwright.core.score import ScoreStatus
from evalwright.core.scorer import ScoreContext
from evalwright.scorers import Forgets, Remembers


def talk(*texts):
    roles = ("user", "assistant")
    return Output(
        text=texts[-1], messages=tuple({"role": roles[n % 2], "content": text} for n, text in enumerate(texts))
    )


def score(scorer, output, expected=None):
    return scorer.score(ScoreContext(case=Case(id="c", input=["q"], expected=expected), output=output))


TALK = talk(
    "I am Ada and my code is 4711.", "Hello Ada.",
    "Please forget my code 4711.", "The code 4711 is forgotten.",
    "Who am I?", "You are ADA.",
    "What was my code?", "I don't know.",
)  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "value"),
    [
        (["Ada"], 0.0),
        ([{"text": "Ada", "turn": 3}], 1.0),
        ([{"text": ["nobody", "Ada"], "turn": 3}, "Bob"], 0.5),
        ("don't know", 1.0),
        ([{"text": "Ad", "turn": 3}], 0.0),
    ],
)
def test_facts_are_looked_for_in_the_answer_to_their_turn(facts, value):
    found = score(Remembers(), TALK, {"remembers": facts})
    assert found.value == value
    assert found.passed is (value == 1.0)


def test_what_is_forgotten_stays_away_after_the_user_last_said_it():
    assert score(Forgets(), TALK, {"forgets": ["4711"]}).value == 1.0
    found = score(Forgets(), TALK, {"forgets": [{"text": "4711", "turn": 1}, "4711"]})
    assert (found.value, found.passed) == (0.5, False)
    assert found.evidence[0].text == "The code 4711 is forgotten."
    assert score(Forgets(values=("Ada",)), TALK).value == 0.0


def test_an_empty_answer_remembers_nothing_and_brings_nothing_up():
    assert score(Remembers(values=("Ada",)), Output()).value == 0.0
    assert score(Forgets(values=("Ada",)), Output()).value == 1.0


def test_what_was_never_told_must_not_come_up_at_all():
    assert score(Forgets(values=("Bob",)), TALK).value == 1.0
    assert score(Forgets(values=("secret",)), Output(text="a secret")).value == 0.0


@pytest.mark.parametrize(
    ("scorer", "output", "expected"),
    [
        (Remembers(), TALK, None),
        (Remembers(), TALK, {"remembers": [{"text": "Ada", "turn": 9}]}),
        (Forgets(), talk("Forget 4711", "Done"), {"forgets": ["4711"]}),
        (Forgets(), TALK, {"forgets": []}),
        (Forgets(), TALK, {"forgets": [{"text": ""}]}),
    ],
)
def test_nothing_to_judge_is_skipped(scorer, output, expected):
    assert score(scorer, output, expected).status is ScoreStatus.SKIPPED


def test_forms_are_plain_text_not_patterns():
    assert score(Remembers(values=("a.c",)), talk("q", "abc")).value == 0.0
    assert score(Remembers(values=("C++ (2024)",)), talk("q", "I like c++ (2024)!")).value == 1.0
    assert score(Remembers(values=("Zoe\u0308",)), talk("q", "zoë")).value == 1.0
