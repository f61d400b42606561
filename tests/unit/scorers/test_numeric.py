"""Numbers in texts, and the numeric scorer on recorded verdicts."""

from __future__ import annotations

import math
import time
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalwright.core.output import Output
from evalwright.scorers import Numeric
from evalwright.scorers.base import OptionError
from evalwright.scorers.text.numbers import find_numbers
from tests.unit.scorers.support import judged, reference_rows

READINGS = {
    "1,234": [1234], "1.234,5": [1234.5], "$3": [3], "12 %": [12], "−7": [-7], "3/4": [0.75], "1 ½": [1.5],
    "1 3/4": [1.75], "2e5": [200_000], "-$5": [-5], "$-5": [-5], "1 234 567": [1_234_567], "1'000": [1000],
    "0,5": [0.5], ".5": [0.5], "5.": [5], "2-3": [2, 3], "x=-3": [-3], "1,23,456": [123_456], "1.000.000": [1e6],
    "10 000 and 20 000": [10_000, 20_000], "1,2,3": [1, 2, 3], "v1.2.3": [1, 2, 3], "12/05/2024": [12, 5, 2024],
    "5 / 0": [5, 0], "٣": [3], "no number": [], "1" * 400: [], "½": [0.5], "€ 1.250,00": [1250], "3\u202f000": [3000],
}  # fmt: skip


@pytest.mark.parametrize("text", READINGS)
def test_numbers_as_people_write_them(text: str) -> None:
    assert [number.value for number in find_numbers(text)] == READINGS[text]


def test_the_decimal_sign_can_be_told() -> None:
    assert [number.value for number in find_numbers("1,234", decimal=",")] == [1.234]
    assert [number.value for number in find_numbers("1.234", decimal=",")] == [1234]


@given(st.floats(min_value=-1e12, max_value=1e12).map(lambda x: round(x, 2)))
def test_what_python_prints_is_read_again(value: float) -> None:
    assert [number.value for number in find_numbers(f"it is {value:,.2f} in all")] == [value]


@given(st.text(max_size=200))
def test_places_are_inside_the_text_and_values_finite(text: str) -> None:
    for number in find_numbers(text):
        assert 0 <= number.start < number.end <= len(text)
        assert math.isfinite(number.value)


@pytest.mark.parametrize("junk", ["1", "1,", "1 ", "-", "$ ", "1/", ".", "1 000", " "])
def test_long_junk_is_read_in_linear_time(junk: str) -> None:
    began = time.perf_counter()
    find_numbers(junk * (200_000 // len(junk)))
    assert time.perf_counter() - began < 5.0


def test_tolerances() -> None:
    assert judged(Numeric(), "about 3.14", 3.14159).value == 0.0
    assert judged(Numeric(absolute=0.01), "about 3.14", 3.14159).value == 1.0
    assert judged(Numeric(relative=0.01), "about 3.14", 3.14159).value == 1.0
    assert judged(Numeric(), "0.30000000000000004", 0.3).value == 1.0


def test_what_is_read() -> None:
    assert judged(Numeric(), "First 3, then 4.", 4).value == 1.0
    assert judged(Numeric(take="first_number"), "First 3, then 4.", 3).value == 1.0
    assert judged(Numeric(after="A:"), "A: 1\nA: $2 of 5\n9", 5).value == 1.0
    assert judged(Numeric(after="A:", take="first_number"), "A: 1\nA: $2 of 5\n9", 2).value == 1.0
    assert judged(Numeric(pattern=r"total is (\S+)"), "total is 7 of 9", "7").value == 1.0
    assert judged(Numeric(field="data.total"), Output(data={"total": 7}), 7).value == 1.0
    assert judged(Numeric(percent_as_fraction=True), "12 %", 0.12).value == 1.0
    assert judged(Numeric(), "40", [39, 40]).value == 1.0


def test_the_number_read_is_the_evidence() -> None:
    score = judged(Numeric(after="A:"), "so A: $1,000 per day", 1000)
    assert [(span.start, span.end, span.text.strip()) for span in score.evidence] == [(5, 12, "$1,000")]


def test_an_answer_without_a_number_is_wrong_and_a_case_without_one_is_skipped() -> None:
    assert judged(Numeric(), "no idea", 4).value == 0.0
    assert judged(Numeric(), "", 4).value == 0.0
    assert judged(Numeric(after="A:"), "4", 4).reason == "no number found after 'A:', expected 4"
    assert judged(Numeric(), "4", "none").status == "skipped"
    assert judged(Numeric(), "4", float("inf")).status == "skipped"
    assert judged(Numeric(field="data.total"), Output(data={}), 7).status == "skipped"


def test_options_that_exclude_each_other() -> None:
    with pytest.raises(OptionError, match="either"):
        Numeric(after="A:", pattern="x")
    with pytest.raises(OptionError, match="does not compile"):
        Numeric(pattern="(")


@pytest.mark.shared
def test_recorded_verdicts_of_four_systems() -> None:
    scorer = Numeric(after="A:")
    verdicts = defaultdict(list)
    for row in reference_rows("gsm8k_solutions/solutions.jsonl.gz"):
        for system in ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"):
            score = judged(scorer, row[system]["solution"], row["ground_truth"])
            assert score.passed == row[system]["is_correct"], row["question"]
            verdicts[system].append(score.value)
    assert {system: round(sum(values) / len(values), 4) for system, values in verdicts.items()} == {
        "6b_finetuning": 0.2168,
        "6b_verification": 0.3904,
        "175b_finetuning": 0.3472,
        "175b_verification": 0.5625,
    }
    assert sum(map(len, verdicts.values())) == 5_276
