import asyncio
import functools
import sys
import threading
import time

import pytest

from evalwright.core.errors import ConfigError, TargetError
from evalwright.core.output import Output
from evalwright.core.target import LimitKey, TargetCall
from evalwright.targets.python import PythonTarget, PythonTargetOptions
from tests.unit.targets.kit import answer, call, context, failure, opened


def shout(question):
    return question.upper()


async def whisper(question, *, trial, seed=None, metadata=None):
    await asyncio.sleep(0)
    return {"text": f"{question} {trial} {seed} {metadata}"}


def whole(call):
    return call.case_id


def annotated(anything: TargetCall):
    return Output(text=anything.case_id)


class Assistant:
    def __call__(self, question):
        return f"assistant: {question}"

    async def reply(self, question):
        return f"reply: {question}"


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (shout, "HELLO"),
        (whisper, "hello 2 7 {'lang': 'de'}"),
        (whole, "a"),
        (annotated, "a"),
        (Assistant(), "assistant: hello"),
        (Assistant().reply, "reply: hello"),
        (functools.partial(whisper, metadata="fixed"), "hello 2 7 {'lang': 'de'}"),
        (lambda q, *rest, **named: q, "hello"),
        (lambda *everything: everything[0], "hello"),
        (lambda q: whisper(q, trial=0), "hello 0 None None"),
        (str.title, "Hello"),
    ],
)
async def test_functions_are_called_with_what_they_declare(function, text):
    output = await answer(PythonTarget(function), trial=2, seed=7, metadata={"lang": "de"})
    assert output.text == text
    assert output.latency_s >= 0


async def test_a_latency_the_function_measured_itself_is_kept():
    assert (await answer(PythonTarget(lambda q: {"text": q, "latency_s": 9.5}))).latency_s == 9.5


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda: "x", "takes no argument"),
        (lambda q, model: "x", "needs a parameter `model`"),
        (lambda *, q: "x", "no argument"),
    ],
)
def test_functions_that_can_not_be_called_are_refused_at_once(function, message):
    with pytest.raises(ConfigError, match=message) as raised:
        PythonTarget(function)
    assert raised.value.problems[0].hint


def explode(question):
    return {"a": 1}[question]


async def test_an_exception_is_recorded_with_type_message_and_place():
    error = await failure(PythonTarget(explode))
    assert (error.kind, error.retryable) == ("exception", False)
    assert "explode raised KeyError: 'hello' (test_python.py:" in error.message
    assert "in explode)" in error.message
    assert "callables.py" not in error.message


@pytest.mark.parametrize(
    ("raised", "kind", "retryable"),
    [
        (ConnectionResetError("x"), "connection", True),
        (TimeoutError(), "timeout", True),
        (TargetError("busy", kind="rate_limit", retryable=True), "rate_limit", True),
        (RecursionError("deep"), "exception", False),
        (StopIteration(), "exception", False),
        (SystemExit(3), "exception", False),
        (asyncio.CancelledError(), "exception", False),
        (MemoryError(), "exception", False),
    ],
)
@pytest.mark.parametrize("kind_of_function", ["sync", "async"])
async def test_whatever_is_raised_becomes_an_error(raised, kind, retryable, kind_of_function):
    def sync(question):
        raise raised

    async def asynchronous(question):
        raise raised

    error = await failure(PythonTarget(sync if kind_of_function == "sync" else asynchronous))
    assert (error.kind, error.retryable) == (kind, retryable)


async def test_an_exception_that_can_not_be_shown():
    class Rude(Exception):
        def __str__(self):
            raise ValueError

    def rude(question):
        raise Rude

    assert "Rude" in (await failure(PythonTarget(rude))).message


async def test_synchronous_functions_run_beside_each_other_and_the_loop():
    barrier = threading.Barrier(40, timeout=10)

    def together(question):
        barrier.wait()
        return question

    async with opened(PythonTarget(together)) as target:
        outputs = await asyncio.gather(*(target.respond(call(str(n))) for n in range(40)))
    assert [output.text for output in outputs] == [str(n) for n in range(40)]


async def test_a_hanging_function_does_not_hold_up_the_end():
    release = threading.Event()
    target = PythonTarget(lambda q: release.wait(20) or q)
    async with opened(target):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await target.respond(call())
        start = time.monotonic()
    assert time.monotonic() - start < 10
    hung = [thread for thread in threading.enumerate() if thread.name.startswith("evalwright-")]
    assert all(thread.daemon for thread in hung)
    release.set()


async def test_a_closed_target_can_be_opened_again():
    target = PythonTarget(shout)
    for _ in range(2):
        assert (await answer(target)).text == "HELLO"


APP = """
def answer(q):
    return "module " + q

class Bot:
    def __call__(self, q):
        return "bot " + q

class Broken:
    def __init__(self):
        raise RuntimeError("no disk")

version = 3
"""


@pytest.fixture
def product(tmp_path):
    (tmp_path / "pkg_under_test").mkdir()
    (tmp_path / "pkg_under_test" / "__init__.py").write_text("")
    (tmp_path / "pkg_under_test" / "app.py").write_text(APP)
    (tmp_path / "script.py").write_text("def answer(q):\n    return 'script ' + q\n")
    (tmp_path / "bad.py").write_text("import no_such_package\n")
    (tmp_path / "worse.py").write_text("def answer(:\n")
    return tmp_path


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("pkg_under_test.app:answer", "module hello"),
        ("pkg_under_test.app:Bot", "bot hello"),
        ("script.py:answer", "script hello"),
        ("pkg_under_test/app.py:answer", "module hello"),
    ],
)
async def test_functions_are_found_by_name(product, reference, text):
    target = PythonTargetOptions(callable=reference).bind(context(product))
    assert (await answer(target)).text == text
    assert target.name == reference


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("pkg_under_test.app", "does not name a function"),
        ("no_such_module:answer", "no module `no_such_module`"),
        ("pkg_under_test.app:anwser", "has no `anwser`"),
        ("pkg_under_test.app:version", "is not callable"),
        ("pkg_under_test.app:Broken", "no disk"),
        ("missing.py:answer", "no file `missing.py`"),
        ("bad.py:answer", "importing `bad.py` failed: ModuleNotFoundError.*bad.py:1"),
        ("worse.py:answer", "SyntaxError"),
    ],
)
def test_what_can_not_be_found_is_told(product, reference, message):
    with pytest.raises(ConfigError, match=message) as raised:
        PythonTargetOptions(callable=reference).bind(context(product))
    assert raised.value.problems[0].key == "callable"


def test_the_description_changes_with_the_code(product):
    options = PythonTargetOptions(callable="script.py:answer")
    before = options.bind(context(product)).describe()
    assert before == options.bind(context(product)).describe()
    (product / "script.py").write_text("def answer(q):\n    return 'other ' + q\n")
    assert options.bind(context(product)).describe()["code"] != before["code"]


async def test_two_versions_of_a_product_in_one_process(tmp_path):
    targets = []
    for version in ("old", "new", "old"):
        folder = tmp_path / version
        folder.mkdir(exist_ok=True)
        (folder / "twice_named.py").write_text(f"def answer(q):\n    return '{version} ' + q\n")
        targets.append(PythonTargetOptions(callable="twice_named:answer").bind(context(folder)))
    assert [(await answer(target)).text for target in targets] == ["old hello", "new hello", "old hello"]
    assert targets[0].describe() == targets[2].describe() != targets[1].describe()


def test_a_module_that_hides_behind_another_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))  # no process started later may find this `json`
    (tmp_path / "json.py").write_text("def answer(q):\n    return q\n")
    with pytest.raises(ConfigError, match="another module `json` is loaded already"):
        PythonTargetOptions(callable="json:answer").bind(context(tmp_path))


def test_the_description_changes_with_the_package_around_the_function(product):
    options = PythonTargetOptions(callable="pkg_under_test.app:answer")
    before = options.bind(context(product)).describe()
    (product / "pkg_under_test" / "helper.py").write_text("x = 1\n")
    assert options.bind(context(product)).describe()["code"] != before["code"]


def test_functions_of_one_file_are_told_apart():
    first, second = (lambda q: q + "a"), (lambda q: q + "b")
    assert PythonTarget(first).describe() != PythonTarget(second).describe()


def test_a_limit_makes_a_limit_key():
    options = PythonTargetOptions.model_validate({"callable": "json:dumps", "rate_limit": "300/min"})
    target = options.bind(context())
    assert target.limit_key == LimitKey("python", "json:dumps")
    assert target.rate_limit.requests_per_minute == 300
    assert PythonTarget(shout).limit_key is None
