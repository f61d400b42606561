from pathlib import Path

import pytest

from evalwright.core.component import BindContext
from evalwright.core.errors import ConfigError, UsageError
from evalwright.core.output import Output
from evalwright.core.target import Target
from evalwright.targets.adapt import target_from
from evalwright.targets.python import PythonTarget, PythonTargetOptions
from tests.unit.targets.kit import answer, failure


def greet(name):
    return f"Hello, {name}"


async def greet_later(name):
    return f"Hello, {name}"


class Greeter:
    def __call__(self, name):
        return f"Hello, {name}"


@pytest.mark.parametrize("obj", [greet, greet_later, Greeter(), Greeter, PythonTarget(greet)])
async def test_whatever_answers_becomes_a_target(obj):
    target = target_from(obj)
    assert isinstance(target, Target)
    assert (await answer(target, "Ada")).text == "Hello, Ada"


def test_names():
    assert target_from(greet).name == "greet"
    assert target_from(Greeter()).name == "Greeter"
    assert target_from(greet, name="v2").name == "v2"


def test_a_target_stays_itself():
    target = PythonTarget(greet)
    assert target_from(target) is target


async def test_options_are_bound(tmp_path):
    (tmp_path / "app.py").write_text("def f(q):\n    return 'f ' + q\n")
    options = PythonTargetOptions(callable="app.py:f")
    assert (await answer(target_from(options, context=BindContext(base_dir=tmp_path)))).text == "f hello"
    with pytest.raises(ConfigError):
        target_from(PythonTargetOptions(callable="no_file_here.py:f"), context=BindContext(base_dir=Path()))


async def test_recorded_outputs():
    target = target_from({"a": "text", "b": {"text": "t", "citations": ["x"]}, "c": Output(text="o"), "d": ["0", "1"]})
    assert target.limit_key is None
    assert [(await answer(target, case_id=name)).text for name in "abc"] == ["text", "t", "o"]
    assert (await answer(target, case_id="d", trial=1)).text == "1"
    for case_id, trial in (("gone", 0), ("a", 1), ("d", 2)):
        error = await failure(target, case_id=case_id, trial=trial)
        assert error.kind == "missing"
        assert case_id in error.message


async def test_a_recorded_output_of_a_wrong_type():
    error = await failure(target_from({"a": 5}))
    assert error.kind == "wrong_type"
    assert "the recorded output of `a`" in error.message


def test_the_hash_of_recorded_outputs_follows_their_content():
    first, same, other = ({"a": Output(text=text)} for text in ("x", "x", "y"))
    assert target_from(first).describe() == target_from(same).describe() != target_from(other).describe()
    assert target_from({"a": object()}).describe()["type"] == "recorded"


@pytest.mark.parametrize("obj", [None, 5, "module:function", [greet]])
def test_other_things_are_refused_with_the_remedy(obj):
    with pytest.raises(UsageError) as raised:
        target_from(obj)
    assert raised.value.hint
