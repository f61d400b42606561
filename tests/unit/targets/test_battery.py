"""Every target goes through the same checks, whatever kind of system is behind it."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from evalwright.core.errors import TargetError
from evalwright.core.output import Output
from evalwright.core.target import LimitKey, RateLimit, Target
from evalwright.models import jsonio
from evalwright.targets.adapt import target_from
from evalwright.targets.chat import ChatTargetOptions
from evalwright.targets.http import HttpTargetOptions
from evalwright.targets.process import ProcessTargetOptions
from evalwright.targets.python import PythonTargetOptions
from evalwright.targets.recorded import RecordedTargetOptions
from tests.unit.models.service import serving
from tests.unit.targets.kit import call, context

SECRET = "s3cret-value-4711"
TEXTS = {
    "empty": "",
    "unicode": "Zoë 😀 \u202eאב\u0000 naïve",
    "surrogate": "half a pair: \ud83d.",
    "html": "<script>alert(1)</script>",
    "braces": "{{ input }} {% raw %} ${PATH}",
    "lines": 'a\r\n\r\nb"\u2028c\td',
    "long": "word " * 400_000,
}
WRONG = {"number": 5, "nothing": None, "list": ["x"]}
SAYS = {**TEXTS, **WRONG}
AUTH = {"bearer": "${HOUSE_KEY}"}

APP = """
import asyncio, json, pathlib, time
SAYS = json.loads((pathlib.Path(__file__).parent / "says.json").read_text())

def sync(key):
    if key == "hang":
        time.sleep(3)
    if key == "garbage":
        return object()
    return SAYS.get(key, key) if key in SAYS else "echo " + key

async def later(key):
    if key == "hang":
        await asyncio.sleep(60)
    return sync(key)
"""
PROGRAM = """
import json, pathlib, sys, time
SAYS = json.loads(pathlib.Path("says.json").read_text())
for line in sys.stdin:
    request = json.loads(line)
    key = request["input"]
    if key == "hang":
        time.sleep(60)
    if key == "garbage":
        print("}{", flush=True)
        continue
    text = SAYS[key] if key in SAYS else "echo " + key
    print(json.dumps({"id": request["id"], "output" if text is None else "text": text}), flush=True)
"""


def said(key: str) -> Any:
    return SAYS.get(key, f"echo {key}")


async def as_service(request: web.Request) -> web.Response:
    """A service that answers `{"answer": …}`."""
    key = (await request.json())["q"]
    if key == "hang":
        await asyncio.sleep(60)
    return web.Response(body=b"}{" if key == "garbage" else json.dumps({"answer": said(key)}).encode())


async def as_model(request: web.Request) -> web.StreamResponse:
    """A model endpoint, streaming when asked."""
    body = await request.json()
    key = body["messages"][-1]["content"]
    if key == "hang":
        await asyncio.sleep(60)
    garbage = key == "garbage" or key in WRONG
    if not body.get("stream"):
        answer = {"choices": [{"message": {"content": said(key)}, "finish_reason": "stop"}]}
        return web.Response(body=b"}{" if garbage else json.dumps(answer).encode())
    response = web.StreamResponse()
    await response.prepare(request)
    piece = {"choices": [{"delta": {"content": said(key)}, "finish_reason": "stop"}]}
    await response.write(b"data: }{\n\n" if garbage else f"data: {json.dumps(piece)}\n\n".encode())
    return response


class Made:
    """What makes one kind of target needs: a folder, services, an environment with a secret."""

    def __init__(self, folder: Path, service: str, model: str) -> None:
        self.folder = folder
        self.service = service
        self.model = model
        self.context = context(folder, HOUSE_KEY=SECRET)

    def chat(self, **more: Any) -> Target:
        options = {"base_url": self.model, "model": "m-1", "api_key": "${HOUSE_KEY}", "headers": {"X": "${HOUSE_KEY}"}}
        return ChatTargetOptions.model_validate({**options, **more}).bind(self.context)

    def http(self) -> Target:
        options = {
            "url": f"{self.service}/?k=${{HOUSE_KEY}}",
            "request": {"q": "{{ input }}"},
            "auth": {"bearer": "${HOUSE_KEY}"},
        }
        return HttpTargetOptions.model_validate({**options, "response": {"text": "$.answer"}}).bind(self.context)

    def python(self, name: str) -> Target:
        return PythonTargetOptions(callable=f"app.py:{name}").bind(self.context)

    def process(self, mode: str) -> Target:
        options = {"command": [sys.executable, "program.py"], "env": {"API_KEY": "${HOUSE_KEY}"}, "mode": mode}
        return ProcessTargetOptions.model_validate(options).bind(self.context)

    def recorded(self) -> Target:
        return RecordedTargetOptions(file="rows.jsonl", fields={"input": "q", "text": "a"}).bind(self.context)

    def mapping(self) -> Target:
        return target_from({**{key: said(key) for key in (*SAYS, *(f"k{n}" for n in range(20)))}, "garbage": object()})


KINDS: dict[str, Callable[[Made], Target]] = {
    "chat": Made.chat,
    "stream": lambda made: made.chat(stream=True),
    "http": Made.http,
    "sync function": lambda made: made.python("sync"),
    "async function": lambda made: made.python("later"),
    "process": lambda made: made.process("concurrent"),
    "serial process": lambda made: made.process("serial"),
    "recorded": Made.recorded,
    "mapping": Made.mapping,
}
CALLED = [kind for kind in KINDS if kind not in {"recorded", "mapping"}]


@asynccontextmanager
async def made(folder: Path) -> AsyncIterator[Made]:
    (folder / "app.py").write_text(APP)
    (folder / "program.py").write_text(PROGRAM)
    (folder / "says.json").write_text(json.dumps(SAYS))
    keys = [*SAYS, *(f"k{n}" for n in range(20))]
    rows = [json.dumps({"q": key, "a": said(key)}) for key in keys] + [json.dumps({"q": "garbage", "b": 1})]
    (folder / "rows.jsonl").write_text("\n".join(rows))
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(serving(as_service))
        model = await stack.enter_async_context(serving(as_model))
        yield Made(folder, service.url, model.url)


@asynccontextmanager
async def target_of(kind: str, folder: Path) -> AsyncIterator[Target]:
    async with made(folder) as parts:
        target = KINDS[kind](parts)
        await target.open()
        try:
            yield target
        finally:
            await target.close()


async def ask(target: Target, key: str) -> Output:
    return await target.respond(call(key, case_id=key))


every_target = pytest.mark.parametrize("kind", KINDS)


@every_target
async def test_it_is_a_target(kind, tmp_path):
    async with target_of(kind, tmp_path) as target:
        assert isinstance(target, Target)
        assert target.name
        assert isinstance(target.limit_key, LimitKey | None)
        assert isinstance(target.rate_limit, RateLimit | None)


@every_target
@pytest.mark.parametrize("key", TEXTS)
async def test_any_text_arrives_and_can_be_stored(kind, key, tmp_path):
    async with target_of(kind, tmp_path) as target:
        output = await ask(target, key)
    assert output.text == jsonio.clean_text(TEXTS[key])
    assert jsonio.decode(jsonio.encode(output)).get("text", "") == output.text


@every_target
@pytest.mark.parametrize("key", [*WRONG, "garbage"])
async def test_a_wrong_type_or_garbage_is_an_error_and_the_next_answer_comes(kind, key, tmp_path):
    if (kind, key) == ("mapping", "list"):
        pytest.skip("a list holds one answer for each trial")
    async with target_of(kind, tmp_path) as target:
        with pytest.raises(TargetError) as raised:
            await ask(target, key)
        assert raised.value.kind in {"wrong_type", "malformed", "missing"}
        assert (await ask(target, "k1")).text == "echo k1"


@every_target
async def test_answers_go_to_who_asked(kind, tmp_path):
    async with target_of(kind, tmp_path) as target:
        outputs = await asyncio.gather(*(ask(target, f"k{n}") for n in range(20)))
    assert [output.text for output in outputs] == [f"echo k{n}" for n in range(20)]


@pytest.mark.parametrize("kind", CALLED)
async def test_a_hang_can_be_given_up_and_closed(kind, tmp_path):
    async with target_of(kind, tmp_path) as target:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await ask(target, "hang")
        assert (await ask(target, "k1")).text == "echo k1"
        start = time.monotonic()
    assert time.monotonic() - start < 10


@every_target
async def test_the_description_is_stable_json_without_a_secret(kind, tmp_path):
    async with made(tmp_path) as parts:
        target = KINDS[kind](parts)
        before = jsonio.encode(target.describe())
        await target.open()
        assert jsonio.encode(target.describe()) == before
        assert before == jsonio.encode(KINDS[kind](parts).describe())
        await target.close()
    shown = f"{before.decode()} {target.name} {target!r} {target.limit_key}"
    assert SECRET not in shown
    assert str(tmp_path) not in before.decode()


@every_target
async def test_it_can_be_closed_twice_unopened_and_opened_again(kind, tmp_path):
    async with made(tmp_path) as parts:
        target = KINDS[kind](parts)
        await target.close()
        for _ in range(2):
            await target.open()
            assert (await ask(target, "k1")).text == "echo k1"
            await target.close()
            await target.close()


@every_target
def test_it_can_be_used_in_one_event_loop_after_another(kind, tmp_path):
    target: list[Target] = []

    async def work() -> None:
        async with made(tmp_path) as parts:
            if not target:
                target.append(KINDS[kind](parts))
            again = target[0] if kind in {"recorded", "mapping", "sync function", "process"} else KINDS[kind](parts)
            await again.open()
            assert (await ask(again, "k2")).text == "echo k2"
            await again.close()

    asyncio.run(work())
    asyncio.run(work())
