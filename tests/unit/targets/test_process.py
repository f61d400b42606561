import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

from evalwright.core.errors import ConfigError
from evalwright.core.output import Passage
from evalwright.core.target import LimitKey, TargetCall
from evalwright.targets.process import ProcessTargetOptions
from tests.unit.targets.kit import answer, call, context, failure, opened

PROGRAM = """
import json, os, subprocess, sys, time

def say(**answer):
    print(json.dumps(answer), flush=True)

print("ready", file=sys.stderr, flush=True)
for line in sys.stdin:
    request = json.loads(line)
    number, text = request["id"], request["input"]
    if text == "crash":
        print("about to crash", file=sys.stderr, flush=True)
        os._exit(3)
    elif text == "hang":
        time.sleep(60)
    elif text == "child":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        say(id=number, text=str(child.pid))
    elif text == "log":
        print("Loading model...", flush=True)
    elif text == "list":
        print("[1]", flush=True)
    elif text == "error":
        say(id=number, error={"message": "no luck"}, retryable=True)
    elif text == "fields":
        say(id=str(number), text="t", contexts=[{"id": "d", "text": "x"}], error=None, latency_s=9)
    elif text == "wrapped":
        say(id=number, output={"text": "w"})
    elif text == "plain":
        say(id=number, output="p")
    elif text == "anonymous":
        say(text="no id")
    elif text == "unknown":
        say(id=number, answer="x")
    elif text == "stranger":
        say(id=10 ** 30, text="not for you"); say(id="x", text="nor you"); print(); say(id=number, text="you")
    elif text == "big":
        say(id=number, text="x" * 100_000)
    elif text == "env":
        say(id=number, text=json.dumps(dict(os.environ)))
    elif text == "pid":
        say(id=number, text=str(os.getpid()))
    elif text == "request":
        say(id=number, data=request)
    else:
        say(id=number, text="echo " + str(text))
"""


@pytest.fixture
def program(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)

    def make(**options):
        given = options.pop("environment", {})
        made = {"command": [sys.executable, "program.py"], "timeout": "20s", **options}
        return ProcessTargetOptions.model_validate(made).bind(context(tmp_path, **given))

    return make


MODES = pytest.mark.parametrize("mode", ["concurrent", "serial"])


@MODES
async def test_many_requests_at_once(program, mode):
    async with opened(program(mode=mode, workers=2)) as target:
        outputs = await asyncio.gather(*(target.respond(call(f"q{n}")) for n in range(100)))
        assert [output.text for output in outputs] == [f"echo q{n}" for n in range(100)]
        pids = {(await target.respond(call("pid"))).text for _ in range(4)}
    assert len(pids) == (2 if mode == "serial" else 1)
    assert target.max_concurrency == (2 if mode == "serial" else None)


@MODES
async def test_what_it_is_told(program, mode):
    whole = TargetCall(case_id="c", input="request", metadata={"lang": "de"}, trial=2, seed=7, idempotency_key="k")
    async with opened(program(mode=mode)) as target:
        told = (await target.respond(whole)).data
    assert told == {"id": 1, "case_id": "c", "input": "request", "metadata": {"lang": "de"}, "trial": 2, "seed": 7}


@MODES
async def test_the_forms_of_an_answer(program, mode):
    async with opened(program(mode=mode)) as target:
        fields = await target.respond(call("fields"))
        assert (fields.text, fields.contexts, fields.latency_s) == ("t", (Passage(id="d", text="x"),), 9)
        texts = [(await target.respond(call(text))).text for text in ("wrapped", "plain", "anonymous", "stranger")]
    assert texts == ["w", "p", "no id", "you"]


@MODES
@pytest.mark.parametrize(
    ("text", "kind", "retryable", "message"),
    [
        ("crash", "crashed", True, "ended with exit code 3; it last wrote to standard error:\nready\nabout to crash"),
        ("error", "exception", True, "the program reports: no luck"),
        ("log", "malformed", True, "logs belong on standard error"),
        ("list", "malformed", True, "not a JSON object"),
        ("unknown", "wrong_type", False, "unknown output field `answer`"),
        ("big", "malformed", True, "longer than 50,000 bytes"),
    ],
)
async def test_failures_are_told_and_the_next_request_is_answered(program, mode, text, kind, retryable, message):
    async with opened(program(mode=mode, max_line=50_000)) as target:
        results = await asyncio.gather(target.respond(call(text)), return_exceptions=True)
        assert (results[0].kind, results[0].retryable) == (kind, retryable)
        assert message in results[0].message
        assert (await target.respond(call("next"))).text == "echo next"


@MODES
async def test_a_hanging_program_is_killed_and_started_again(program, mode):
    async with opened(program(mode=mode, timeout="300ms")) as target:
        first = int((await target.respond(call("pid"))).text)
        with pytest.raises(Exception, match="no answer within") as raised:
            await target.respond(call("hang"))
        assert (raised.value.kind, raised.value.retryable) == ("timeout", True)
        assert int((await target.respond(call("pid"))).text) != first
    assert not alive(first)


async def test_a_request_given_up_by_the_run_kills_a_silent_program(program):
    async with opened(program(mode="serial", timeout=None)) as target:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await target.respond(call("hang"))
        assert (await target.respond(call("next"))).text == "echo next"


async def test_requests_beside_a_crash_may_be_tried_again(program):
    async with opened(program()) as target:
        asked = ["hang", "x", "y"]
        tasks = [asyncio.create_task(target.respond(call(text))) for text in asked]
        await asyncio.sleep(0.05)
        os.kill(next(iter(target._workers))._running._process.pid, 9)
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(result.kind == "crashed" and result.retryable for result in results)
    assert "ended by signal 9" in results[0].message


async def test_a_program_that_always_ends_is_not_started_for_ever(program):
    starts = 0
    async with opened(program(command=[sys.executable, "-c", "raise SystemExit('broken')"])) as target:
        for _ in range(60):
            with pytest.raises(Exception, match="broken") as raised:
                await target.respond(call())
            starts += 1
            if not raised.value.retryable:
                break
    assert raised.value.kind == "crashed"
    assert "20 times without an answer" in raised.value.message
    assert starts == 21


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


async def test_closing_ends_the_program_and_its_children(program):
    async with opened(program()) as target:
        parent = int((await target.respond(call("pid"))).text)
        child = int((await target.respond(call("child"))).text)
    deadline = time.monotonic() + 5
    while (alive(parent) or alive(child)) and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    assert not alive(parent)
    assert not alive(child)
    await target.close()


async def test_it_sees_the_environment_it_is_given_and_no_other(program):
    given = {"HOUSE_KEY": "opaque-value", "UNRELATED_TOKEN": "x"}
    target = program(env={"API_KEY": "${HOUSE_KEY}", "MODE": "fast"}, environment=given)
    seen = (await answer(target, "env")).text
    assert '"API_KEY": "opaque-value"' in seen
    assert '"MODE": "fast"' in seen
    assert "UNRELATED_TOKEN" not in seen
    assert "opaque-value" not in str(target.describe())


async def test_secrets_in_its_last_words_are_taken_out(program):
    code = "import os, sys; sys.exit('bad key ' + os.environ['API_KEY'])"
    options = {
        "command": [sys.executable, "-c", code],
        "env": {"API_KEY": "${K}"},
        "environment": {"K": "opaque-value"},
    }
    error = await failure(program(**options))
    assert "bad key [redacted]" in error.message


async def test_a_program_that_can_not_be_started(program):
    with pytest.raises(ConfigError, match="can't be started") as raised:
        await answer(program(command=["no-such-program-here"]))
    assert raised.value.problems[0].key == "command"


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"cwd": "nowhere"}, "cwd"),
        ({"env": {"API_KEY": "9f8e7d6c5b4a39281706f5e4"}}, "env.API_KEY"),
        ({"env": {"API_KEY": "${NOT_SET}"}}, "env.API_KEY"),
        ({"command": ["run", "--key=sk-abcdefghijklmnop1234"]}, "command.1"),
    ],
)
def test_wrong_options_are_named(program, options, key):
    with pytest.raises(ConfigError) as raised:
        program(**options)
    assert raised.value.problems[0].key == key


def test_the_description_changes_with_the_program(program, tmp_path):
    before = program().describe()
    assert before["command"] == [Path(sys.executable).name, "program.py"]
    (tmp_path / "program.py").write_text("print(1)")
    assert program().describe() != before


def test_names_and_limits(program):
    target = program(rate_limit="5/s")
    assert target.name == f"{Path(sys.executable).name} program.py"
    assert target.limit_key == LimitKey("process", target.name)
    assert program().limit_key is None
