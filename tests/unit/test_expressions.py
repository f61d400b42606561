from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalwright.core.case import Case
from evalwright.core.component import Vocabulary
from evalwright.core.errors import ConfigError
from evalwright.core.output import Output, Passage
from evalwright.core.run import Failure, UnitRecord
from evalwright.core.score import Score
from evalwright.expressions import ExpressionError, case_view, compile_expression, unit_view
from evalwright.expressions.functions import FUNCTIONS
from evalwright.expressions.paths import parse_path
from evalwright.suites import load_suite

CASE = Case(
    id="c1",
    input={"question": "Wie lange dauert das?", "locale": "de"},
    expected=["zwei Tage"],
    metadata={
        "locale": "de",
        "tier": 2,
        "score": 0.5,
        "nothing": None,
        "question-type": "how",
        "user": {"plan": "pro"},
    },
    tags=("smoke", "billing"),
    cluster=None,
)
VIEW = case_view(CASE)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("metadata.locale", "de"),
        ("metadata.user.plan", "pro"),
        ('metadata["question-type"]', "how"),
        ("metadata['question-type']", "how"),
        ("expected[0]", "zwei Tage"),
        ("expected[1]", None),
        ("metadata.missing", None),
        ("metadata.locale.deeper", None),
        ("input.locale", "de"),
        ("cluster", None),
        ("tags", ("smoke", "billing")),
        ("  metadata.locale  ", "de"),
    ],
)
def test_a_path_gives_what_stands_there_and_none_where_nothing_does(text, value):
    assert compile_expression(text).value(VIEW) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('metadata.locale == "de"', True),
        ('metadata.locale in ["de", "fr"] && metadata.tier > 1', True),
        ("metadata.tier > 1.5", True),
        ("length(input.question) > 10", True),
        ("input.question.length() == 21", True),
        ("words(input.question)", 4),
        ("lower(input.question)", "wie lange dauert das?"),
        ("upper(metadata.locale)", "DE"),
        ('trim("  a ")', "a"),
        ('"billing" in tags', True),
        ('contains(tags, "billing") && contains(input.question, "lange") && contains(metadata, "tier")', True),
        ('tags.exists(t, t.startsWith("bill"))', True),
        ("size(tags) == 2", True),
        ('input.question.matches("^Wie .*\\\\?$")', True),
        ("has(metadata.missing)", False),
        ('get(metadata, "user.plan", "free")', "pro"),
        ('get(metadata, "user.seats", 1)', 1),
        ("metadata.nothing == null", True),
        ('metadata.tier == 2 ? "two" : "other"', "two"),
        ("length(null)", None),
        ("length(5)", None),
        ("true", True),
    ],
)
def test_conditions_and_functions(text, value):
    assert compile_expression(text).value(VIEW) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('metadata.missing == "x"', "the case has no `missing`"),
        ("metadata.nothing > 3", "a value is of another kind than the expression needs, or null"),
        ("metadata.locale > 3", "a value is of another kind than the expression needs, or null"),
        ("int(metadata.locale) == 3", "string parse error"),
        ("expected[7] == 1", "index out of bounds"),
        ("1 / 0 == 1", "division by zero"),
    ],
)
def test_a_case_that_does_not_fit_has_no_value_is_not_true_and_can_say_why(text, why):
    expression = compile_expression(text)
    assert expression.value(VIEW) is None
    assert expression.truth(VIEW) is False
    assert why in (expression.explain(VIEW) or "")


def test_only_true_is_true():
    assert compile_expression("metadata.locale").truth(VIEW) is False
    assert compile_expression("metadata.tier + 1").truth(VIEW) is False
    assert compile_expression("!has(metadata.missing)").truth(VIEW) is True
    assert compile_expression("metadata.locale").explain(VIEW) is None
    assert compile_expression("metadata.x").explain(VIEW) == "the case has no `metadata.x`"


@pytest.mark.parametrize(
    ("text", "message", "column", "hint"),
    [
        ('metadata.locale = "de"', "`=` is not expected here", 17, "compare with `==`"),
        ("metadata.a == 1 and true", "`and` is not expected here", 17, "write `&&`"),
        ("not has(metadata.a)", "`has` is not expected here", 5, "write `!`"),
        ("metadata.a == ", "it ends too early", 15, ""),
        ("locale", "unknown name `locale`", 1, "e.g. `metadata.locale`"),
        ("true && metadta.a == 1", "unknown name `metadta`", 9, "did you mean `metadata`?"),
        ("metadata.question-type == 1", "unknown name `type`", 19, '`metadata["question-type"]`'),
        ("longth(input) > 3", "unknown function `longth`", 1, "the functions are contains, get"),
        ("output.text", "unknown name `output`", 1, ""),
        ("", "the expression is empty", 0, "metadata.locale"),
    ],
)
def test_an_error_tells_the_place_and_the_remedy(text, message, column, hint):
    with pytest.raises(ExpressionError) as error:
        compile_expression(text)
    assert message in error.value.message
    assert error.value.column == column
    assert hint in error.value.hint


def test_an_error_shows_the_line_with_a_mark():
    with pytest.raises(ExpressionError) as error:
        compile_expression('metadata.a == 1 &&\n  metadata.b = "x"')
    assert str(error.value) == (
        'not a valid expression: `=` is not expected here\n    metadata.b = "x"\n               ^\n'
        "hint: compare with `==`"
    )


def test_results_are_in_reach_only_where_they_exist():
    unit = UnitRecord(
        case_id="c1",
        case_hash="h",
        trial=1,
        output=Output(text="Zwei Tage.", contexts=(Passage(id="a", text="…"),), cost=0.02),
        scores={"exact": Score.of(False, reason="differs"), "f1": Score.of(0.4), "judge": Score.failure("timed out")},
    )
    view = unit_view(CASE, unit)
    condition = compile_expression(
        'scores.f1.value < 0.5 && scores.exact.passed == false && scores.judge.status == "error" && trial == 1'
        ' && output.contexts[0].id == "a" && output.cost > 0.01 && metadata.locale == "de" && error == null',
        results=True,
    )
    assert condition.truth(view) is True
    failed = UnitRecord(case_id="c1", case_hash="h", error=Failure(kind="timeout", message="too slow"))
    assert compile_expression("error.kind", results=True).value(unit_view(CASE, failed)) == "timeout"
    assert compile_expression("output.text", results=True).value(unit_view(CASE, failed)) is None
    assert compile_expression('output.text == ""', results=True).truth(unit_view(CASE, failed)) is False


@pytest.mark.parametrize(
    "text",
    [
        "(" * 40 + "1" + ")" * 40,
        "[" * 5000,
        "tags.map(a, tags.map(b, tags.map(c, c)))",
        "metadata.a == " + "1" * 3000,
        "a" * 2001,
    ],
)
def test_texts_that_would_cost_too_much_are_refused_at_once(text):
    started = time.perf_counter()
    with pytest.raises(ExpressionError):
        compile_expression(text)
    assert time.perf_counter() - started < 1


def test_a_list_too_long_for_a_loop_is_refused_before_the_loop():
    expression = compile_expression("metadata.items.map(i, i * 2)")
    long = case_view(Case(id="x", input="", metadata={"items": list(range(50_000))}))
    started = time.perf_counter()
    assert expression.value(long) is None
    assert expression.explain(long) == "a list of 50,000 items is too long for the loops of the expression"
    assert time.perf_counter() - started < 1
    assert expression.value(case_view(Case(id="x", input="", metadata={"items": [1, 2]}))) == [2, 4]


def test_a_pattern_that_would_take_for_ever_elsewhere_is_answered_at_once():
    view = case_view(Case(id="x", input="a" * 5000 + "b"))
    started = time.perf_counter()
    assert compile_expression('input.matches("^(a+)+$")').value(view) is False
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    "text", ["metadata.__class__", "input.__class__.__mro__", 'metadata["__class__"]', "id.__doc__"]
)
def test_nothing_of_python_is_in_reach(text):
    assert compile_expression(text).value(VIEW) is None


@pytest.mark.parametrize("text", ["__import__('os').system('true')", "open('/etc/passwd')", "eval('1')", "exec"])
def test_names_of_python_are_unknown(text):
    with pytest.raises(ExpressionError, match="unknown"):
        compile_expression(text)


def test_data_that_the_library_can_not_take_gives_no_value():
    expression = compile_expression('input + "x"')
    assert expression.value(case_view(Case(id="x", input="\ud800"))) is None
    assert expression.explain(case_view(Case(id="x", input="\ud800"))) is not None


def test_paths_do_not_load_the_expression_library():
    code = (
        "import sys; from evalwright.expressions import compile_expression;"
        "compile_expression('metadata.locale').value({'metadata': {}});"
        "sys.exit('cel' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def outcome(text):
    """The values of an expression, or the message of its error; nothing else may come out."""
    try:
        expression = compile_expression(text)
    except ExpressionError as error:
        return str(error)
    return (expression.value(VIEW), expression.truth(VIEW), expression.explain(VIEW))


@given(st.text(max_size=80))
@settings(max_examples=150, deadline=None)
def test_any_text_is_an_expression_or_an_expression_error(text):
    assert outcome(text)


@given(
    st.lists(st.sampled_from(["metadata", ".", "a", "(", ")", "==", "&&", '"x"', "1", "has", "length", "[", "]", "!"]))
)
@settings(max_examples=150, deadline=None)
def test_any_words_of_the_language_are_an_expression_or_an_expression_error(words):
    assert outcome(" ".join(words))


@given(st.dictionaries(st.text(alphabet="abcxyz_", min_size=1, max_size=5), st.integers() | st.text() | st.none()))
@settings(deadline=None)
def test_a_path_agrees_with_reading_the_mapping(data):
    view = case_view(Case(id="x", input=data))
    for key in data:
        if parse_path(f"input.{key}") is not None:
            assert compile_expression(f"input.{key}").value(view) == data[key]


PAGE = (Path(__file__).parents[2] / "docs" / "expressions.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(.+?)` \| `(.+)` \|$", PAGE, flags=re.MULTILINE)


@pytest.mark.parametrize(("text", "value"), [(text.replace("\\|", "|"), value) for text, value in ROWS])
def test_the_examples_of_the_documentation(text, value):
    case = json.loads(re.search(r"```json\n(.*?)```", PAGE, flags=re.DOTALL).group(1))
    view = case_view(Case(**{**case, "tags": tuple(case["tags"])}))
    found = compile_expression(text).value(view)
    assert (list(found) if isinstance(found, tuple) else found) == json.loads(value)


def test_the_documentation_has_examples_of_every_function():
    assert len(ROWS) > 30
    for name in FUNCTIONS:
        assert f"{name}(" in PAGE


def test_the_message_shown_in_the_documentation(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = 'suite: s\ndataset: []\n\n\n\nslices:\n  german:\n    when: metadata.locale = "de"\n'
    Path("suite.yaml").write_text(text)
    with pytest.raises(ConfigError) as error:
        load_suite("suite.yaml", Vocabulary(scorers={}, targets={}))
    assert str(error.value) in PAGE
