# ruff: noqa: E501  tables read best with one case to a line
from __future__ import annotations

import pytest

from evalwright.core.errors import ConfigError
from evalwright.core.suite import DatasetSpec
from evalwright.suites import load_python_suite, load_suite, validate_suite
from tests.unit.suites.vocab import VOCABULARY

HEAD = """
from evalwright import BoundScorer, Case, Rule, SliceSpec, Suite
from evalwright.core.suite import DatasetSpec
from tests.unit.suites.vocab import Exact
"""
ONE = HEAD + 'suite = Suite(name="one", cases=[Case(id="a", input=1)], scorers=[Exact()])\n'


def test_a_python_file_with_a_suite_and_a_target(write):
    path = write(ONE + "def target(x): return str(x)\n", "s.py")
    loaded = load_suite(path, VOCABULARY, environment={})
    assert (loaded.suite.name, len(loaded.suite.cases), loaded.dataset) == ("one", 1, None)
    assert loaded.target.type == "object"
    assert loaded.target.build()(3) == "3"
    assert "Suite(name=" in loaded.source


def test_a_pair_of_suite_and_target(write):
    loaded = load_python_suite(write(ONE + "nightly = (suite, str.upper)\n", "s.py") + ":nightly")
    assert loaded.target.build()("a") == "A"


def test_one_of_several_suites_is_named(write):
    path = write(ONE + 'other = Suite(name="two", cases=[])\n', "s.py")
    assert load_python_suite(f"{path}:other").suite.name == "two"
    assert load_python_suite(path).suite.name == "one"
    assert load_python_suite(path).target is None


def test_cases_may_come_from_a_file(write):
    path = write(HEAD + 'x = Suite(name="one", cases=DatasetSpec(file="cases.csv"))\n', "s.py")
    loaded = load_python_suite(path)
    assert (loaded.dataset, loaded.suite.cases) == (DatasetSpec(file="cases.csv"), ())


@pytest.mark.parametrize(
    ("code", "reference", "message", "hint"),
    [
        ("x = 1\n", "s.py", "the file makes no `Suite`", '`suite = Suite(name="greeting"'),
        (ONE, "s.py:two", "the file has no suite `two`", "name one of its suites: `s.py:suite`"),
        ("raise ValueError('no')\n", "s.py", "importing `s.py` failed at line 1 of s.py: ValueError: no", ""),
        (ONE, "t.py", "there is no file `t.py`", "did you mean `s.py`?"),
        (HEAD + 'suite = Suite(name="a", slices={"l": "locale"})\n', "s.py", "the slice `l`: unknown name `locale` in `locale`", "a case's own"),
        (HEAD + 'suite = Suite(name="a", slices={"l": SliceSpec(when="a =")})\n', "s.py", "the slice `l`: not a valid expression: `=` is not expected here in `a =`", "compare with"),
        (HEAD + 'suite = Suite(name="a", scorers=[Exact()], gate=[Rule(metric="exat", at_least=1)])\n', "s.py", "the suite has no metric `exat`", "did you mean `exact`?"),
        (HEAD + 'suite = Suite(name="a", scorers=[Exact()], gate=[Rule(metric="exact", slice={"l": "x"})])\n', "s.py", "the suite has no slice `l`", "declare it"),
    ],
)  # fmt: skip
def test_what_can_be_wrong(write, code, reference, message, hint):
    write(code, "s.py")
    with pytest.raises(ConfigError) as error:
        load_python_suite(reference)
    (problem,) = error.value.problems
    assert problem.message == message
    assert problem.hint.startswith(hint)
    assert problem.file == reference.partition(":")[0]


def test_validate_looks_at_the_syntax_and_runs_nothing(write):
    assert validate_suite(write("raise ValueError('ran')\n", "s.py"), VOCABULARY) == []
    (problem,) = validate_suite(write("x = (\n", "s.py"), VOCABULARY)
    assert (problem.message, problem.line, problem.column) == ("not valid Python: '(' was never closed", 1, 5)
    (missing,) = validate_suite("t.py:x", VOCABULARY)
    assert missing.message == "`t.py` can't be read: No such file or directory"


def test_validate_imports_when_asked(write):
    write("raise ValueError('ran')\n", "s.py")
    assert "ValueError: ran" in validate_suite("s.py", VOCABULARY, import_code=True)[0].message
