import asyncio
import json
import urllib.request

import pytest
from pydantic import ValidationError

from evalwright.core.errors import ConfigError, TargetError
from evalwright.core.output import Usage
from evalwright.core.target import LimitKey, RateInfo
from evalwright.targets.chat import ChatTargetOptions
from tests.unit.models.service import answering, serving
from tests.unit.targets.kit import answer, call, context, failure, opened

ANSWER = {
    "model": "gpt-4o-2024-08-06",
    "choices": [{"message": {"content": "hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 400}},
}


def chat(url="http://127.0.0.1:1/v1", folder=".", environment=None, **options):
    made = ChatTargetOptions.model_validate({"base_url": url, "model": "gpt-4o", **options})
    return made.bind(context(folder, **(environment or {})))


async def sent(input_value, **options):
    """The body a case becomes."""
    parts = options.pop("call", {})
    async with serving(answering(ANSWER)) as service:
        await answer(chat(service.url, **options), input_value, **parts)
    return service.seen[0].json


async def test_an_answer_with_usage_cost_and_model():
    async with serving(answering(ANSWER)) as service:
        output = await answer(chat(service.url))
    assert (output.text, output.model, output.finish_reason) == ("hello", "gpt-4o-2024-08-06", "stop")
    assert output.usage == Usage(input_tokens=1000, output_tokens=100, cached_tokens=400)
    assert output.cost == pytest.approx((600 * 2.5 + 400 * 1.25 + 100 * 10) / 1e6)
    assert output.latency_s > 0


async def test_a_price_given_goes_before_the_table():
    async with serving(answering(ANSWER)) as service:
        output = await answer(chat(service.url, price={"input": 1.0, "output": 2.0, "cached": 0.0}))
    assert output.cost == pytest.approx((600 + 200) / 1e6)


@pytest.mark.parametrize(
    ("input_value", "options", "messages"),
    [
        ("hi", {}, [{"role": "user", "content": "hi"}]),
        (
            "hi",
            {"system": "Be brief."},
            [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}],
        ),
        ([{"role": "user", "content": "hi"}], {}, [{"role": "user", "content": "hi"}]),
        ({"messages": [{"role": "user", "content": "hi"}], "k": 1}, {}, [{"role": "user", "content": "hi"}]),
        ({"q": "hi", "n": 2}, {"prompt": "{{ input.q }} {{ input.n }}"}, [{"role": "user", "content": "hi 2"}]),
        (
            {"q": "hi", "past": [1]},
            {"messages": [{"role": "user", "content": "{{ input.q }}", "past": "{{ input.past }}"}]},
            [{"role": "user", "content": "hi", "past": [1]}],
        ),
        (
            {"turns": ["a", "b"]},
            {"prompt": "{% for t in input.turns %}<{{ t }}>{% endfor %}", "jinja": True},
            [{"role": "user", "content": "<a><b>"}],
        ),
    ],
)
async def test_what_each_input_becomes(input_value, options, messages):
    assert (await sent(input_value, **options))["messages"] == messages


async def test_a_system_prompt_may_use_the_public_metadata():
    body = await sent("hi", system="Answer in {{ metadata.locale }}.", call={"metadata": {"locale": "de"}})
    assert body["messages"][0]["content"] == "Answer in de."


async def test_a_system_prompt_from_a_file(tmp_path):
    (tmp_path / "system.md").write_text("Sei höflich.", encoding="utf-8")
    body = await sent("hi", folder=tmp_path, system_file="system.md")
    assert body["messages"][0]["content"] == "Sei höflich."


async def test_parameters_and_seed():
    body = await sent("hi", params={"temperature": 0, "max_tokens": 9}, send_seed=True, call={"seed": 42})
    assert (body["temperature"], body["max_tokens"], body["seed"], body["model"]) == (0, 9, 42, "gpt-4o")
    assert "seed" not in await sent("hi", call={"seed": 42})


@pytest.mark.parametrize(
    ("input_value", "options", "kind"),
    [
        ({"q": "hi"}, {}, "bad_input"),
        (5, {}, "bad_input"),
        ([], {}, "bad_input"),
        ([{"content": "no role"}], {}, "bad_input"),
        (["text"], {}, "bad_input"),
        ({"messages": "x"}, {}, "bad_input"),
        ({"q": "hi"}, {"prompt": "{{ input.question }}"}, "template"),
        ("hi", {"prompt": "{{ input.question }}"}, "template"),
    ],
)
async def test_inputs_that_do_not_fit_are_not_sent(input_value, options, kind):
    error = await failure(chat(**options), input_value)
    assert (error.kind, error.retryable) == (kind, False)


async def test_tool_calls_refusals_and_reasoning_are_kept():
    message = {
        "content": None,
        "refusal": "I can't.",
        "reasoning_content": "Hm.",
        "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}],
    }
    async with serving(answering({"choices": [{"message": message, "finish_reason": "stop"}]})) as service:
        output = await answer(chat(service.url))
    assert output.text == "I can't."
    assert output.tool_calls[0].name == "f"
    assert output.metadata == {"refusal": "I can't.", "reasoning": "Hm."}


async def test_rate_limits_given_and_seen():
    seen: list[RateInfo] = []
    async with serving(answering(ANSWER, headers={"x-ratelimit-remaining-tokens": "5"})) as service:
        target = chat(service.url, rate_limit="300/min, 10k tokens/min")
        await answer(target, observe=seen.append)
        assert target.limit_key == LimitKey(service.url, "gpt-4o")
    assert (target.rate_limit.requests_per_minute, target.rate_limit.tokens_per_minute) == (300, 10_000)
    assert [info.tokens_remaining for info in seen] == [5]


@pytest.mark.parametrize("dialect", ["openai", "responses", "azure", "anthropic", "gemini"])
async def test_every_dialect_asks_with_its_key(dialect):
    variables = {"openai": "OPENAI", "responses": "OPENAI", "azure": "AZURE_OPENAI", "anthropic": "ANTHROPIC"}
    variable = f"{variables.get(dialect, 'GEMINI')}_API_KEY"
    async with serving(answering({}, 500)) as service:
        error = await failure(chat(service.url, environment={variable: "key-value-1"}, dialect=dialect))
    assert error.retryable
    assert any("key-value-1" in value for value in service.seen[0].headers.values())


async def test_a_key_echoed_by_the_server_is_taken_out():
    async with serving(answering({"error": {"message": "bad key opaque-value"}}, 401)) as service:
        error = await failure(chat(service.url, environment={"HOUSE_KEY": "opaque-value"}, api_key="${HOUSE_KEY}"))
    assert error.kind == "auth"
    assert "opaque-value" not in error.message


def test_the_description_has_all_that_decides_the_answers_and_no_secret():
    environment = {"HOUSE_KEY": "opaque-value", "HOST": "https://models.example"}
    options = {"api_key": "${HOUSE_KEY}", "headers": {"X-Key": "${HOUSE_KEY}"}, "params": {"temperature": 0}}
    described = chat("${HOST}/v1", environment=environment, system="Be brief.", **options).describe()
    assert described == {
        "type": "chat",
        "base_url": "https://models.example/v1",
        "system": "Be brief.",
        "model": "gpt-4o",
        "dialect": "openai",
        "params": {"temperature": 0},
        "headers": ["X-Key"],
    }


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"api_key": "sk-abcdefghijklmnop1234"}, "api_key"),
        ({"api_key": "${NOT_SET}"}, "api_key"),
        ({"headers": {"X-Api-Key": "9f8e7d6c5b4a39281706f5e4"}}, "headers.X-Api-Key"),
        ({"params": {"user_token": "9f8e7d6c5b4a39281706f5e4"}}, "params.user_token"),
        ({"url": "https://u:secret@models.example"}, "base_url"),
        ({"url": "models.example"}, "base_url"),
        ({"prompt": "{{ inptu }}"}, "prompt"),
        ({"messages": [{"role": "user", "content": "{{ expected }}"}]}, "messages.0.content"),
        ({"prompt": "{% for x in %}", "jinja": True}, "prompt"),
        ({"system_file": "absent.md"}, "system_file"),
        ({"api_version": "1"}, "api_version"),
        ({"dialect": "anthropic", "send_seed": True}, "send_seed"),
    ],
)
def test_wrong_options_are_named(options, key):
    with pytest.raises(ConfigError) as raised:
        chat(**options)
    assert raised.value.problems[0].key == key
    assert "abcdefghijklmnop" not in str(raised.value)


@pytest.mark.parametrize(
    "options",
    [
        {"system": "a", "system_file": "b"},
        {"prompt": "a", "messages": []},
        {"first_token_timeout": "1s"},
        {"timeout": "never"},
        {"modle": "x"},
    ],
)
def test_options_that_exclude_each_other(options):
    with pytest.raises(ValidationError):
        ChatTargetOptions.model_validate({"model": "m", **options})


def configure(url, **settings):
    query = "&".join(f"{name}={value}" for name, value in settings.items())
    urllib.request.urlopen(f"{url}/__config?{query}").close()
    urllib.request.urlopen(f"{url}/__reset").close()


def counters(url):
    with urllib.request.urlopen(f"{url}/__stats") as reply:
        return json.load(reply)


def fnv(key):
    digest = 2166136261
    for byte in key.encode():
        digest = ((digest ^ byte) * 16777619) & 0xFFFFFFFF
    return f"ans-{digest:08x}"


@pytest.mark.shared
@pytest.mark.parametrize("stream", [False, True])
async def test_a_model_server_answers_many_cases_over_few_connections(mock_llm, stream):
    configure(mock_llm, p429=0, p500=0, preset=0, pmalformed=0, ptimeout=0)
    async with opened(chat(f"{mock_llm}/v1", stream=stream)) as target:
        for _ in range(5):
            outputs = await asyncio.gather(*(target.respond(call(f"q [[k:q{n}]]")) for n in range(50)))
    assert [output.text for output in outputs] == [fnv(f"q{n}") for n in range(50)]
    assert all((output.first_token_s is not None) is stream for output in outputs)
    assert all(output.usage.output_tokens == 4 for output in outputs)
    seen = counters(mock_llm)
    assert (seen["requests"], seen["ok"]) == (250, 250)
    assert seen["connections"] <= 51


@pytest.mark.shared
@pytest.mark.parametrize(
    ("fault", "kind", "max_attempts"),
    [
        ("p429", "rate_limit", None),
        ("p500", "server", None),
        ("preset", "connection", None),
        ("pmalformed", "malformed", 2),
        ("ptimeout", "timeout", None),
    ],
)
async def test_each_fault_of_a_model_server_is_told_apart(mock_llm, fault, kind, max_attempts):
    configure(mock_llm, **{"p429": 0, "p500": 0, "preset": 0, "pmalformed": 0, "ptimeout": 0, fault: 1, "timeout_s": 5})
    try:
        error = await failure(chat(f"{mock_llm}/v1", timeout="200ms"))
    finally:
        configure(mock_llm, **{fault: 0})
    assert (error.kind, error.retryable, error.max_attempts) == (kind, True, max_attempts)
    assert error.retry_after_s == (1 if fault == "p429" else None)


@pytest.mark.shared
async def test_the_servers_counters_agree_with_the_errors_seen(mock_llm):
    configure(mock_llm, p429=0.1, p500=0.1, preset=0.1, pmalformed=0.1, ptimeout=0)
    kinds: dict[str, int] = {}
    async with opened(chat(f"{mock_llm}/v1")) as target:

        async def ask(number):
            try:
                return (await target.respond(call(f"[[k:f{number}]]"))).text == fnv(f"f{number}")
            except TargetError as error:
                kinds[error.kind] = kinds.get(error.kind, 0) + 1
                return None

        answers = await asyncio.gather(*(ask(number) for number in range(400)))
    seen = counters(mock_llm)
    configure(mock_llm, p429=0, p500=0, preset=0, pmalformed=0)
    told = {
        "rate_limit": seen["r429"],
        "server": seen["r500"],
        "connection": seen["resets"],
        "malformed": seen["malformed"],
    }
    assert kinds == told
    assert answers.count(True) == seen["ok"]
    assert answers.count(False) == 0
