"""Searching for bad slices: what is looked at, what is found, and how rarely nothing is called something."""

import numpy as np
import pytest

from evalwright.analysis.crossing import SliceCases
from evalwright.analysis.frame import CaseFrame
from evalwright.analysis.slice_search import SearchValues, candidates, field_slices, search
from evalwright.core.case import Case


def cases(n):
    return [
        Case(
            id=f"c{i}",
            input={"text": "x" * (i % 50), "locale": "de" if i % 3 else "en"},
            metadata={"tier": i % 2, "serial": i, "flags": ["a"] if i % 5 else ["a", "b"]},
            tags=("odd",) if i % 2 else (),
        )
        for i in range(n)
    ]


def values(value, **more):
    value = np.asarray(value, dtype=float)
    return SearchValues(metric="exact", case=np.arange(len(value)), value=value, verdicts=True, size=len(value), **more)


def test_slices_are_made_from_what_cases_carry():
    found = field_slices(enumerate(cases(100)))
    assert set(found) == {"input.locale", "metadata.tier", "metadata.flags", "input length"}
    assert found["metadata.flags"]["b"].tolist() == list(range(0, 100, 5))
    assert len(found["metadata.tier"]["1"]) == 50
    lengths = found["input length"]
    assert sum(len(members) for members in lengths.values()) == 100
    assert 2 <= len(lengths) <= 4


def test_small_slices_twins_and_the_whole_are_not_tested():
    by = {"l": {"a": np.arange(40), "twin": np.arange(40), "b": np.arange(40, 97), "few": np.arange(97, 100)}}
    kept, small = candidates(CaseFrame(size=100, slices={**by, "all": {"x": np.arange(100)}}), depth=1, min_n=10)
    assert sorted(place.label for place in kept) == ["l=a", "l=b"]
    assert small == 1


def test_a_bad_slice_is_found_and_its_combinations_are_not_repeated():
    rng = np.random.default_rng(3)
    size = 600
    locale, tier = rng.integers(0, 4, size), rng.integers(0, 2, size)
    value = (rng.random(size) < np.where(locale == 2, 0.55, 0.9)).astype(float)
    slices = {
        "locale": {str(v): np.flatnonzero(locale == v) for v in range(4)},
        "tier": {str(v): np.flatnonzero(tier == v) for v in range(2)},
    }
    places, _ = candidates(CaseFrame(size=size, slices=slices), depth=2, min_n=20)
    rows, tested, repeats = search(values(value), places, min_n=20)
    assert rows[0].label == "locale=2"
    assert rows[0].p_adjusted < 0.001
    assert rows[0].low < rows[0].gap < rows[0].high < 0
    assert rows[0].lost == pytest.approx(-rows[0].gap * rows[0].n)
    assert tested == len(places) == 14
    assert repeats >= 1
    assert abs(rows[0].shrunk) < abs(rows[0].gap)


def test_where_nothing_is_wrong_hardly_anything_is_called_clear():
    rng = np.random.default_rng(11)
    alarms = 0
    for _ in range(100):
        value = (rng.random(300) < 0.8).astype(float)
        places = [
            SliceCases(dimension="s", label=f"s={i}", members=np.sort(rng.choice(300, 60, replace=False)))
            for i in range(15)
        ]
        rows, _, _ = search(values(value), places, min_n=20)
        alarms += any(row.p_adjusted < 0.05 for row in rows)
    assert alarms <= 11  # a family-wise level of 5 %: more than 11 of 100 has a probability below .5 %


def test_a_low_value_is_good_where_less_is_better():
    value = np.array([1.0] * 30 + [0.0] * 70)
    places = [
        SliceCases(dimension="l", label="l=a", members=np.arange(50)),
        SliceCases(dimension="l", label="l=b", members=np.arange(50, 100)),
    ]
    rows, _, _ = search(values(value, sign=-1.0), places, min_n=10)
    assert rows[0].label == "l=a"
    assert rows[0].lost > 0
    assert rows[1].lost == 0


def test_clustered_cases_need_more():
    rng = np.random.default_rng(5)
    clusters = np.repeat(np.arange(40), 10)
    value = np.repeat(rng.random(40) < 0.6, 10).astype(float)
    places = [SliceCases(dimension="l", label="l=a", members=np.flatnonzero(clusters < 12))]
    apart, _, _ = search(values(value), places, min_n=10)
    together, _, _ = search(values(value, clusters=clusters), places, min_n=10)
    assert together[0].p > apart[0].p
