"""Planted faults: which are found, and that a sound set gives no alarm."""

from __future__ import annotations

import random
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from evalwright.core.case import Case
from evalwright.datasets import prepare
from evalwright.datasets.health import Health, HealthQuestion, Outcomes, examine, input_text
from evalwright.datasets.minhash import jaccard, normal_text, shingles, signature
from evalwright.store.blobs import Blobs
from evalwright.store.cases import CaseFile

WORDS = [
    "order",
    "refund",
    "invoice",
    "parcel",
    "account",
    "password",
    "delivery",
    "late",
    "broken",
    "change",
    "address",
    "cancel",
    "price",
]


def question_of(seed: int, length: int = 25) -> str:
    """A text of random words with numbers, unlike any other."""
    rng = random.Random(seed)
    return " ".join(
        rng.choice(WORDS) if n % 2 else f"{rng.choice('abcdefgh')}{rng.randrange(10**6)}" for n in range(length)
    )


def stored(folder: Path, cases: list[Case]) -> CaseFile:
    return prepare(cases, Blobs(folder / "blobs")).case_file


def sound(count: int = 200) -> list[Case]:
    return [Case(id=f"s{n}", input=question_of(n), expected="x", metadata={"locale": "de"}) for n in range(count)]


def found(health: Health) -> dict[str, int]:
    return {finding.kind: finding.count for finding in health.findings}


def test_a_sound_set_gives_no_alarm(tmp_path: Path) -> None:
    assert found(examine(stored(tmp_path, sound()), HealthQuestion(strata=("locale",)))) == {}


def test_planted_doubles_and_contradictions(tmp_path: Path) -> None:
    cases = sound()
    cases += [Case(id=f"d{n}", input=question_of(n).upper() + " ?", expected="x") for n in range(5)]
    cases += [Case(id=f"c{n}", input=question_of(10 + n), expected="y") for n in range(3)]
    cases += [Case(id=f"n{n}", input=question_of(20 + n) + " please", expected="x") for n in range(4)]
    health = examine(stored(tmp_path, cases), HealthQuestion())
    assert found(health) == {"exact_duplicates": 5, "contradictions": 3, "near_duplicates": 4}
    assert set(health.findings[0].cases) == {f"s{n} = d{n}" for n in range(5)}


def test_planted_leaks(tmp_path: Path) -> None:
    other = [Case(id=f"o{n}", input=question_of(1000 + n)) for n in range(50)]
    other += [Case(id=f"l{n}", input=[{"role": "user", "content": question_of(n) + "!"}]) for n in range(7)]
    health = examine(stored(tmp_path, sound()), HealthQuestion(), others={"train": stored(tmp_path, other)})
    (leak,) = health.findings
    assert (leak.kind, leak.message) == ("leakage", "7 cases are also in train, word for word or much alike")


def test_thin_strata_age_and_missing_expectations(tmp_path: Path) -> None:
    cases = [*sound(), Case(id="e", input=question_of(999), metadata={"locale": "fr"})]
    asked = HealthQuestion(strata=("locale",), made_at=0.0, cadence_days=30, now=86_400.0 * 45)
    health = examine(stored(tmp_path, cases), asked)
    assert found(health) == {"no_expectation": 1, "coverage": 1, "freshness": 1}
    assert "fr (1)" in next(f.cases for f in health.findings if f.kind == "coverage")


def test_cases_that_tell_nothing(tmp_path: Path) -> None:
    cases = stored(tmp_path, sound(5))
    outcomes = {
        cases.case_hash(0): Outcomes(passed=4),
        cases.case_hash(1): Outcomes(failed=3),
        cases.case_hash(2): Outcomes(passed=2, failed=2, both=True),
        cases.case_hash(3): Outcomes(passed=2, failed=2),
        cases.case_hash(4): Outcomes(passed=2),
    }
    health = examine(cases, HealthQuestion(), outcomes=outcomes)
    assert found(health) == {"saturated": 1, "never_passing": 1, "noisy": 1}


@given(st.text(max_size=200), st.text(max_size=200))
def test_signatures_agree_about_as_often_as_the_texts_share(one: str, two: str) -> None:
    first, second = normal_text(one), normal_text(two)
    share = jaccard(shingles(first), shingles(second))
    agree = float((signature(first) == signature(second)).mean())
    assert abs(agree - share) < 0.45
    assert share < 1 or agree == 1


def test_texts_of_inputs() -> None:
    assert input_text([{"role": "system", "content": "Be kind"}, {"role": "user", "content": "Hi"}]) == "Hi"
    assert input_text({"q": "a", "n": 3, "list": ["b"]}) == "a\n3\nb"
    assert normal_text("  Where is MY  order?! ") == "where is my order"
