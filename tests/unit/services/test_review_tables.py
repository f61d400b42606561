"""Tables of ratings and files of labels from outside: whatever they hold, the answer is figures or a message."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalwright.core.errors import EvalwrightError, UsageError
from evalwright.core.review import Queue, QueueKind
from evalwright.review.agreement import Plan
from evalwright.services.reviewing.agreement import table_agreement
from evalwright.services.reviewing.candidates import of_row
from evalwright.services.reviewing.exchange import read_incoming
from evalwright.services.reviewing.requests import NewQueue, SourceSpec
from evalwright.services.reviewing.tables import TableOptions, tables_of
from tests.review_kit import HELPFUL

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3), max_leaves=6)  # fmt: skip  # noqa: E501
NAMES = st.sampled_from(
    ["item", "id", "rater", "label", "rubric", "ratings", "data", "annotations", "r1", "r2", "at", "x"]
)
ROWS = st.lists(st.dictionaries(NAMES, VALUES, max_size=5) | st.lists(SCALARS, max_size=4), max_size=6)
LAYOUTS = ["auto", "long", "wide", "nested", "units-by-raters", "raters-by-units", "counts", "contingency"]


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(ROWS | VALUES, st.sampled_from(LAYOUTS), st.sampled_from(["nominal", "ordinal", "interval", "ratio"]))
def test_any_table_gives_figures_or_a_message(table, layout, scale):
    try:
        found = tables_of(table, TableOptions(layout=layout, scale=scale))
        report = table_agreement(found.tables, plan=Plan(resamples=20))
    except EvalwrightError:
        return
    for one in report.rubrics:
        assert one.percent.value is None or 0.0 <= one.percent.value <= 1.0


@pytest.mark.parametrize("kind", ["labelstudio", "jsonl", "csv", "xlsx"])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(value=VALUES | ROWS, raw=st.binary(max_size=40) | st.none())
def test_any_file_gives_labels_or_messages(kind, value, raw):
    import json

    queue = Queue(id="q", name="q", rubrics=(HELPFUL,), kind=QueueKind.POINTWISE)
    data = raw if raw is not None else json.dumps(value).encode()
    try:
        for one in read_incoming(queue, data, kind):
            assert one
    except EvalwrightError:
        return


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(st.sampled_from(["id", "input", "output", "outputs", "expected", "contexts", "model", "cluster", "severity"]), VALUES), st.sampled_from(list(QueueKind)))  # fmt: skip  # noqa: E501
def test_any_row_gives_an_item_or_a_message(row, kind):
    asked = NewQueue(name="q", rubrics=(HELPFUL,), source=SourceSpec(), kind=kind)
    try:
        assert of_row(asked, row, "row 1").content.outputs
    except EvalwrightError:
        return


def test_a_table_whose_ratings_stand_under_a_key():
    found = tables_of(
        {"data": [{"id": 1, "ratings": {"a": 1, "b": 1}}, {"id": 2, "ratings": {"a": 2, "b": 1}}]}, TableOptions()
    )
    assert found.tables[0].raters == ("a", "b")


def test_dimensions_of_long_tables():
    rows = [
        {"item": n, "annotator": who, "tone": n % 2, "facts": 1, "time": "2026-01-01T00:00:00Z"}
        for n in range(4)
        for who in "ab"
    ]
    found = tables_of(rows, TableOptions(rubrics=("tone", "facts")))
    assert [table.name for table in found.tables] == ["tone", "facts"]
    melted = [{"item": n, "rater": who, "dimension": d, "score": 1} for n in range(4) for who in "ab" for d in "xy"]
    assert [table.name for table in tables_of(melted, TableOptions()).tables] == ["x", "y"]


def test_the_same_item_in_several_rows_of_a_wide_table_is_several_units():
    rows = [{"id": "t", "model": m, "r1": 1, "r2": 2} for m in ("a", "b")]
    assert tables_of(rows, TableOptions()).tables[0].units == ("t", "t #2")


def test_which_columns_of_a_wide_table_are_raters():
    def raters(**columns):
        rows = [{"id": n, **{name: values[n % len(values)] for name, values in columns.items()}} for n in range(40)]
        return tables_of(rows, TableOptions()).tables[0].raters

    yes = ("yes", "no", "yes")
    assert raters(annotator_1=yes, annotator_2=yes, topic=("a", "b")) == ("annotator_1", "annotator_2")
    numbered = {f"label_annotated_{n}": yes for n in range(1, 4)}
    assert raters(functionality=("f1", "f2"), label_gold=yes, **numbered) == tuple(numbered)
    assert raters(locale=("de", "en", "fr"), ann=yes, bob=("no", "yes")) == ("ann", "bob")
    with pytest.raises(UsageError, match="can't be told which columns are raters"):
        raters(ann=yes, locale=("de", "en"))
