from __future__ import annotations

import math
import time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalwright.core.errors import ConfigError, Problem
from evalwright.suites.yaml_reader import MAX_ALIASES, MAX_DEPTH, decode, parse_yaml, read_yaml


def data(text: str):
    return parse_yaml(text, name="s.yaml").data


def problem(text: str):
    with pytest.raises(ConfigError) as error:
        parse_yaml(text, name="s.yaml")
    return error.value.problems[0]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("012", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("-7", -7),
        ("+7", 7),
        ("1_000", "1_000"),
        ("1e3", 1000.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-1.5e-2", -0.015),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("2026-08-01", "2026-08-01"),
        ("2026-08-01T10:00:00Z", "2026-08-01T10:00:00Z"),
        ("12:30:00", "12:30:00"),
        ("1.2.3", "1.2.3"),
        ("0b11", "0b11"),
        ("=", "="),
        ('"12"', "12"),
        ("'no'", "no"),
        ("!!str 12", "12"),
        ("|\n  a\n  b", "a\nb\n"),
        ("[a, {b: 1}]", ["a", {"b": 1}]),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(written, value):
    found = data(f"key: {written}\n")["key"]
    assert (found, type(found)) == (value, type(value))


def test_not_a_number_is_a_number():
    assert math.isnan(data("a: .nan")["a"])


def test_keys_are_texts_as_they_are_written():
    assert data("{no: 1, 012: 2, 1.10: 3, true: 4}") == {"no": 1, "012": 2, "1.10": 3, "true": 4}


def test_every_duplicate_key_is_told_with_its_place_and_the_first_one():
    with pytest.raises(ConfigError) as error:
        parse_yaml("a: 1\nb: {x: 1, x: 2}\na: 2\n", name="s.yaml")
    assert [(p.line, p.column, p.message, p.hint) for p in error.value.problems] == [
        (2, 11, "the key `x` is given twice", "it stands on line 2 already; keep one of them"),
        (3, 1, "the key `a` is given twice", "it stands on line 1 already; keep one of them"),
    ]


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("a:\n\t- b\n", (2, 1), "cannot start any token", "never with tabs"),
        ("a: [1, 2", (1, 4), "did not find expected ',' or ']'", "a bracket is not closed"),
        ('a: "x', (1, 6), "unexpected end of stream", "is not closed"),
        ("a: b: c", (1, 5), "mapping values are not allowed", "into quotes"),
        ("a: @b", (1, 4), "cannot start any token", "into quotes"),
        ("a: *b", (1, 4), "undefined alias", "into quotes"),
        ("a: 1\n b: 2\n", (2, 3), "mapping values are not allowed", ""),
        ("a: 1\n---\nb: 2\n", (2, 1), "another document", ""),
        ("a: !!python/object:os.system {}", (1, 4), "the tag `!!python/object:os.system` is not allowed", "remove it"),
        ("a: !!binary aGk=", (1, 4), "the tag `!!binary` is not allowed", "remove it"),
        ("a: !!set {x}", (1, 4), "the tag `!!set` is not allowed", "remove it"),
        ("a: !custom x", (1, 4), "the tag `!!!custom` is not allowed", "remove it"),
        ("? [a]\n: b", (1, 3), "a key must be a text", "quotes"),
        ("<<: {a: 1}", (1, 1), "merge keys", "write the keys out"),
        ("a: b\x07c", (1, 5), "character U+0007 is not allowed", ""),
        ("a: " + "9" * 5000, (1, 4), "a number of 5,000 digits is too long", "quotes"),
    ],
)
def test_what_is_no_yaml_is_told_with_its_place(text, place, message, hint):
    found = problem(text)
    assert (found.line, found.column) == place
    assert message in found.message
    assert hint in found.hint


def test_a_syntax_error_shows_the_line_with_a_mark():
    assert str(problem("name: ok\na: b: c\n")) == (
        "error: not valid YAML: mapping values are not allowed in this context\n"
        "  --> s.yaml:2:5\n"
        "   | a: b: c\n"
        "   |     ^\n"
        'hint: put a text that contains `: ` into quotes: "…"'
    )


@pytest.mark.parametrize(
    ("content", "place", "hint"),
    [
        ("name: caf\u00e9".encode("latin-1"), (1, 10), "another encoding"),
        ("a: ok\nb: ü\n".encode("cp1252"), (2, 4), "another encoding"),
        ("a: b".encode("utf-16"), (1, 1), "UTF-16"),
    ],
)
def test_bytes_that_are_no_utf_8_are_told_with_their_place(content, place, hint):
    with pytest.raises(ConfigError) as error:
        decode(content, name="s.yaml")
    (found,) = error.value.problems
    assert (found.line, found.column) == place
    assert hint in found.hint


def test_a_byte_order_mark_is_passed_over(tmp_path):
    (tmp_path / "s.yaml").write_bytes(b"\xef\xbb\xbfsuite: s\n")
    assert read_yaml(tmp_path / "s.yaml").data == {"suite": "s"}


@pytest.mark.parametrize("text", ["[" * 300_000, "- " * 5_000, "{a: " * 2_000, "? " * 2_000])
def test_deep_nesting_is_refused_at_once_and_never_overruns_the_stack(text):
    started = time.perf_counter()
    assert f"more than {MAX_DEPTH} deep" in problem(text).message
    assert time.perf_counter() - started < 2


def test_aliases_work_and_can_not_multiply_a_small_file():
    assert data("a: &x [1, 2]\nb: *x\n") == {"a": [1, 2], "b": [1, 2]}
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30))
    assert f"more than {MAX_ALIASES} values come from aliases" in problem(bomb).message
    assert "aliases" in problem("a: &a [*a]").message


def test_a_huge_file_is_refused_before_it_is_read(tmp_path):
    big = tmp_path / "big.yaml"
    with big.open("wb") as stream:
        stream.truncate(40_000_000)
    with pytest.raises(ConfigError, match="at most 32,000,000 are allowed"):
        read_yaml(big)


def test_places_are_those_of_the_text():
    document = parse_yaml("a:\n  - b: 1\n    c: [x, yy]\nd: 1.10\n", name="s.yaml")
    assert document.place(("a", 0, "c")) == (3, 8)
    assert document.place(("a", 0, "c"), key=True) == (3, 5)
    assert document.place(("a", 0, "c", 1)) == (3, 12)
    assert document.place(("a", 0, "missing")) == (2, 5)
    assert document.raw(("d",)) == "1.10"
    assert document.raw(("a",)) is None


# the C parser takes NEL, LS and PS for line ends, as YAML 1.1 does
texts = st.text(st.characters(codec="utf-8", exclude_characters="\x85\u2028\u2029"))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcxyz", min_size=1), inner, max_size=4),
    max_leaves=12,
)


def outcome(text):
    """What a text says, or the first problem; nothing else may come out."""
    try:
        return data(text)
    except ConfigError as error:
        return error.problems[0]


@given(json_values)
@settings(max_examples=100, deadline=None)
def test_what_json_can_say_comes_back_the_same(value):
    found = outcome(msgspec.json.encode(value).decode())
    refused = isinstance(found, Problem) and "is not allowed in YAML" in found.message  # DEL and C1 controls
    assert refused or found == value


@given(st.text(st.sampled_from("ab:-[]{},&*!|>'\"%@#? \n\t0."), max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_is_data_or_a_problem_with_a_place(text):
    found = outcome(text)
    assert not isinstance(found, Problem) or (found.line > 0 and found.message)
