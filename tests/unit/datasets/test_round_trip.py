"""Whatever JSON a row holds comes back as it was."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from evalwright.core.case import Case
from evalwright.core.identity import case_hash
from evalwright.core.suite import DatasetSpec
from evalwright.datasets import prepare, read_rows
from evalwright.datasets.parse import parse_json
from evalwright.datasets.rows import RowError
from evalwright.store.blobs import Blobs
from evalwright.store.cases import CaseFile

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)
INPUTS = VALUES.filter(lambda value: value is not None)


@settings(max_examples=60, deadline=None)
@given(inputs=st.lists(INPUTS, min_size=1, max_size=5), expected=VALUES, ascii_only=st.booleans())
def test_cases_survive_the_way_into_the_workspace(inputs: list[object], expected: object, *, ascii_only: bool) -> None:
    wanted = [Case(id=f"q{n}", input=value, expected=expected, metadata={"n": n}) for n, value in enumerate(inputs)]
    rows = [{"id": case.id, "input": case.input, "expected": expected, "n": n} for n, case in enumerate(wanted)]
    with TemporaryDirectory() as name:
        folder = Path(name)
        text = "\n".join(json.dumps(row, ensure_ascii=ascii_only) for row in rows)
        (folder / "d.jsonl").write_text(text, encoding="utf-8")
        found = prepare(read_rows(DatasetSpec(file="d.jsonl"), folder), Blobs(folder / "blobs"))
        assert found.bad_rows == ()
        again = CaseFile.open(Blobs(folder / "blobs"), found.case_file.digest)
        assert list(again) == wanted
        assert [again.case_hash(n) for n in range(len(wanted))] == [case_hash(case) for case in wanted]


@settings(max_examples=200)
@given(data=st.binary(max_size=60) | st.text(alphabet='{}[]",:\\\\u0dE+-.1ntfrNaIi \x00é', max_size=40).map(str.encode))
def test_any_bytes_are_json_or_refused_with_a_reason(data: bytes) -> None:
    value, reason = value_or_reason(data)
    assert reason or json.loads(data.decode()) == value


def value_or_reason(data: bytes) -> tuple[object, str]:
    try:
        return parse_json(data), ""
    except RowError as error:
        return None, str(error)
