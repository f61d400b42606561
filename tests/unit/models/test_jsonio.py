import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalwright.models import jsonio

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_what_is_encoded_is_decoded(value):
    assert jsonio.decode(jsonio.encode(value)) == value


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"a": NaN, "b": [Infinity]}', {"a": None, "b": [None]}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'"\\ud800x"', "�x"),
        (b'"\\ud83d\\ude00"', "😀"),
    ],
)
def test_what_services_send_beside_the_standard(data, value):
    assert jsonio.decode(data) == value


@pytest.mark.parametrize("data", [b"", b"<html>", b'{"a": ', b"\xff\xfe", b"[" * 100_000, b"[" * 500 + b"]" * 500])
def test_what_is_not_json_is_refused(data):
    if data.startswith(b"[[") and data.endswith(b"]"):
        with pytest.raises(jsonio.BadJson, match="nested"):
            jsonio.clean_json(jsonio.decode(data))
    else:
        with pytest.raises(jsonio.BadJson):
            jsonio.decode(data)


def test_lone_surrogates_are_replaced_and_pairs_kept():
    assert jsonio.clean_text("a\ud800b\U0001f600") == "a�b😀"
    assert jsonio.encode({"t": "\udfff"}) == '{"t":"�"}'.encode()


@given(st.text(alphabet=st.characters()))
def test_cleaned_text_can_always_be_stored(text):
    jsonio.clean_text(text).encode()


def test_values_of_other_libraries_become_json():
    value = {"n": np.float32(0.5), "i": np.int64(3), "nan": math.nan, "day": dt.date(2026, 1, 2), 7: (1, {2})}
    assert jsonio.clean_json(value) == {"n": 0.5, "i": 3, "nan": None, "day": "2026-01-02", "7": [1, [2]]}


@pytest.mark.parametrize("value", [object(), {(1, 2): 3}, lambda: 1, [object()]])
def test_values_without_a_json_form_are_named(value):
    with pytest.raises(jsonio.BadJson, match="has no JSON form"):
        jsonio.clean_json(value)


def test_a_cycle_is_refused():
    cycle: list = []
    cycle.append(cycle)
    with pytest.raises(jsonio.BadJson, match="nested"):
        jsonio.clean_json(cycle)
