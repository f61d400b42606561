import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalwright.core.errors import ConfigError
from evalwright.templating import Template, TemplateError, as_text

INPUT = {"text": "hi", "n": 2, "items": [{"first name": "Ada"}], "none": None, "on": True, "with-dash": "d", "ü": "u"}
VALUES = {"input": INPUT, "case_id": "c1"}


def filled(source, **options):
    return Template(source, **options).render(VALUES)


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("no placeholder", "no placeholder"),
        ("", ""),
        ("{{ input.text }}", "hi"),
        ("{{input.text}}!", "hi!"),
        ("{{ input.n }}", 2),
        (" {{ input.n }} ", 2),
        ("n = {{ input.n }}", "n = 2"),
        ("{{ input.on }}/{{ input.none }}", "true/null"),
        ("{{ input.none }}", None),
        ("{{ input.items }}", [{"first name": "Ada"}]),
        ("{{ input.items[0]['first name'] }}", "Ada"),
        ('{{ input.items[-1]["first name"] }} ({{ case_id }})', "Ada (c1)"),
        ("{{ input.with-dash }}", "d"),
        ("{{ input['ü'] }}", "u"),
        ("of {{ input.items }}", 'of [{"first name": "Ada"}]'),
        ("{{ '{{' }} and {{ \"}}\" }}", "{{ and }}"),
        ("${VAR} { } }} {", "${VAR} { } }} {"),
        (7, 7),
        (None, None),
        ({"a": ["{{ input.n }}", {"b": "{{ input.text }}."}], "c": 1.5}, {"a": [2, {"b": "hi."}], "c": 1.5}),
    ],
)
def test_values_keep_their_type_alone_and_become_text_inside_text(source, result):
    assert filled(source) == result


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ input.text | upper }}", "is not a path"),
        ("{{ input.items[x] }}", "is not a path"),
        ("{{ .text }}", "is not a path"),
        ("{{ 'a' + 'b' }}", "is not a path"),
        ("{{ input()}}", "is not a path"),
        ("{{ }}", "empty placeholder"),
        ("{{ input.text", "can't be read"),
        ("{% if input %}x{% endif %}", "can't be read"),
        ("{{ expected }}", "unknown name `expected`"),
        ("x" * 100_001, "longer than"),
    ],
)
def test_mistakes_are_found_before_the_first_use(source, message):
    with pytest.raises(ConfigError, match=message) as raised:
        Template({"q": [source]}, names={"input", "metadata"}, key="request")
    assert raised.value.problems[0].key == "request.q.0"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ input.question }}", "there is no `question` in `input`, which has `text`, `n`"),
        ("{{ input.text.more }}", "`input.text` is a text and has no `more`"),
        ("{{ input.items[1] }}", "`input.items` is a list of 1 and has no `1`"),
        ("{{ input.items.name }}", "`input.items` is a list of 1 and has no `name`"),
        ("{{ input.none.x }}", "`input.none` is null and has no `x`"),
        ("{{ input.n.x }}", "`input.n` is a number and has no `x`"),
        ("{{ metadata.x }}", "there is no `metadata` in `the call`"),
    ],
)
def test_a_path_that_leads_nowhere_is_told_with_what_there_is(source, message):
    with pytest.raises(TemplateError) as raised:
        filled(source)
    assert message in raised.value.message


@given(st.text())
def test_a_value_is_never_read_as_a_template_again(text):
    assert Template("<{{ input }}>").render({"input": text}) == f"<{text}>"
    assert Template("{{ input }}").render({"input": text}) == text


@given(st.text())
def test_any_source_is_a_template_or_refused(source):
    with contextlib.suppress(ConfigError):
        assert Template(source, key="prompt").source == source


def test_a_value_may_be_quoted_where_it_stands_inside_text():
    template = Template("q={{ input }}", inserted=lambda value: as_text(value).replace(" ", "+"))
    assert template.text({"input": "a b"}) == "q=a+b"


def test_text_of_other_values():
    assert Template("{{ input }}").text({"input": {"a": [1, None]}}) == '{"a": [1, null]}'
