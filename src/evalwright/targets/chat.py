"""A chat model behind an HTTP endpoint as the system under test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field, PositiveInt, model_validator

from evalwright.core.case import Json
from evalwright.core.component import BindContext
from evalwright.core.errors import TargetError
from evalwright.core.media import is_part, parts_of
from evalwright.core.output import Output
from evalwright.core.target import LimitKey, RateLimit, TargetCall
from evalwright.models.asking import ModelPrice
from evalwright.models.chat import ChatClient, ChatReply, ChatRequest, Dialect
from evalwright.models.dialects import DIALECTS
from evalwright.models.endpoint import EndpointSpec, ModelEndpoint
from evalwright.models.prices import Price, PriceTable, price_table
from evalwright.models.secrets import expand, expand_public, find_secrets, refuse_literal_secret
from evalwright.models.transport import Limits
from evalwright.targets.options import Duration, RateLimitOption, TargetOptions, config_error
from evalwright.templating import Template, TemplateError

_NAMES = ("input", "metadata", "case_id", "trial", "seed")
_ROLES = {"system", "developer", "user", "assistant", "tool", "function"}


class ChatTargetOptions(TargetOptions):
    """A chat model behind an OpenAI-compatible, Azure, Anthropic or Gemini endpoint.

    A text as input becomes the user's message; a list is taken as the conversation, or as the parts of one message; an
    object needs `messages` in it, or a `prompt` or `messages` template. Pictures, sound and documents of the input
    stand behind the text of a `prompt`.
    """

    model: str = Field(description="Model to ask; on Azure the deployment.")
    base_url: str | None = Field(
        None,
        description="Address with the version, e.g. `http://localhost:8000/v1`; by default the provider's own.",
    )
    api_key: str | None = Field(
        None,
        description="Key by reference, e.g. `${OPENAI_API_KEY}`; by default the provider's usual variable when set.",
    )
    dialect: Literal["openai", "responses", "azure", "anthropic", "gemini"] = Field(
        "openai", description="Which provider's JSON the endpoint speaks; gateways and local servers speak `openai`."
    )
    api_version: str | None = Field(None, description="API version, for Azure and Anthropic.")
    system: str | None = Field(None, description="System prompt; may hold placeholders: `{{ metadata.locale }}`.")
    system_file: str | None = Field(None, description="File the system prompt is read from, from the suite file.")
    prompt: str | None = Field(None, description="Template of the user's message, e.g. `{{ input.question }}`.")
    messages: list[dict[str, Any]] | None = Field(
        None,
        description='Template of the conversation without `system`: `[{ role: user, content: "{{ input.q }}" }]`.',
    )
    jinja: bool = Field(False, description="Templates are Jinja (sandboxed) instead of plain placeholders.")
    params: dict[str, Any] = Field(
        default_factory=dict,
        description="Parameters by OpenAI's names: `{ temperature: 0, max_tokens: 256, tools: […] }`.",
    )
    send_seed: bool = Field(False, description="Send the run's seed of each case and trial as the parameter `seed`.")
    stream: bool = Field(False, description="Ask for a stream and measure the time to the first token.")
    headers: dict[str, str] = Field(default_factory=dict, description="Further headers; secrets by reference.")
    idempotency_header: str = Field(
        "", description="Header that carries the same key for every attempt at a case; none by default."
    )
    timeout: Duration | None = Field(None, description="Longest time for one answer; the run's timeout holds as well.")
    connect_timeout: Duration = Field(10.0, description="Longest time to make a connection.")
    first_token_timeout: Duration | None = Field(None, description="Longest time to the first token of a stream.")
    max_body: PositiveInt = Field(32 * 1024 * 1024, description="Largest answer read, in bytes.")
    rate_limit: RateLimitOption = Field(
        None, description="Limits known beforehand: `300/min`, `100k tokens/min`, or a mapping; learned when not given."
    )
    price: ModelPrice | None = Field(None, description="Price of the model; from the price table when not given.")

    @model_validator(mode="after")
    def _one_of_each(self) -> ChatTargetOptions:
        if self.system is not None and self.system_file is not None:
            raise ValueError("`system` and `system_file` are both given; keep one")
        if self.prompt is not None and self.messages is not None:
            raise ValueError("`prompt` and `messages` are both given; keep one")
        if self.first_token_timeout is not None and not self.stream:
            raise ValueError("`first_token_timeout` needs `stream: true`")
        return self

    def bind(self, context: BindContext) -> ChatTarget:
        """Check everything that can be checked without a call.

        Raises:
            ConfigError: A secret is written literally, a variable is not set, a template or the address is wrong.
        """
        self._refuse_secrets()
        if self.send_seed and self.dialect in {"anthropic", "responses"}:
            raise config_error(f"`{self.dialect}` takes no seed", key="send_seed", hint="leave it out")
        base = expand(self.base_url, context.environment, key="base_url") if self.base_url else ""
        spec = EndpointSpec(
            model=self.model,
            dialect=self._dialect(),
            base_url=base,
            api_key=self.api_key,
            headers=self.headers,
            stream=self.stream,
            limits=self._limits(),
            idempotency_header=self.idempotency_header,
        )
        endpoint = ModelEndpoint(spec, context.environment)
        shown_base = expand_public(self.base_url or spec.dialect.base_url, context.environment)
        prompt = ChatPrompt(self, self._system_text(context))
        return ChatTarget(self, endpoint, prompt, self._prices(context), shown_base)

    def _limits(self) -> Limits:
        return Limits(
            total_s=self.timeout,
            connect_s=self.connect_timeout,
            first_token_s=self.first_token_timeout,
            max_body=self.max_body,
        )

    def _dialect(self) -> Dialect:
        made = DIALECTS[self.dialect]()
        if self.api_version is None:
            return made
        if not hasattr(made, "api_version"):
            raise config_error(f"`{self.dialect}` has no API version", key="api_version", hint="leave it out")
        made.api_version = self.api_version
        return made

    def _refuse_secrets(self) -> None:
        for key in ("base_url", "model"):
            refuse_literal_secret(key, getattr(self, key) or "")
        for path, found in find_secrets(self.params):
            raise config_error(
                f"this looks like {found}", key=".".join(map(str, ("params", *path))), hint="use `headers`"
            )

    def _system_text(self, context: BindContext) -> str | None:
        if self.system_file is None:
            return self.system
        try:
            return (context.base_dir / self.system_file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            hint = "paths are relative to the suite file"
            raise config_error(f"`{self.system_file}` can't be read: {error}", key="system_file", hint=hint) from None

    def _prices(self, context: BindContext) -> PriceTable:
        if self.price is None:
            return price_table(context.environment)
        price = Price(input=self.price.input, output=self.price.output, cached=self.price.cached)
        return PriceTable({self.model: price}, fallback=price)


class ChatPrompt:
    """From a case to the messages a model is sent.

    Raises:
        ConfigError: A template can't be read.
    """

    def __init__(self, options: ChatTargetOptions, system: str | None) -> None:
        self.system = system
        self._system = self._template(system, options, "system")
        fixed = system is not None and not (options.jinja or "{{" in system)
        self._fixed: list[dict[str, Json]] | None = [{"role": "system", "content": system}] if fixed else None
        self._prompt = self._template(options.prompt, options, "prompt")
        self._messages = self._template(options.messages, options, "messages")

    @staticmethod
    def _template(source: Json, options: ChatTargetOptions, key: str) -> Template | None:
        return None if source is None else Template(source, jinja=options.jinja, names=_NAMES, key=key)

    def messages(self, call: TargetCall) -> Sequence[Mapping[str, Json]]:
        """The conversation for one case.

        Raises:
            TargetError: The input does not fit (kind `bad_input`) or a template can't be filled (`template`).
        """
        try:
            return [*self._opening(call), *self._conversation(call)]
        except TemplateError as error:
            raise TargetError(error.message, kind="template") from None

    def _opening(self, call: TargetCall) -> list[dict[str, Json]]:
        if self._fixed is not None:
            return self._fixed
        return [{"role": "system", "content": self._system.text(_values(call))}] if self._system else []

    def _conversation(self, call: TargetCall) -> Sequence[Mapping[str, Json]]:
        if self._prompt is not None:
            return [{"role": "user", "content": _with_media(self._prompt.text(_values(call)), call.input)}]
        if self._messages is not None:
            return _checked(self._messages.render(_values(call)))
        given = call.input
        if isinstance(given, str):
            return [{"role": "user", "content": given}]
        if isinstance(given, Mapping) and "messages" in given:
            return _checked(given["messages"])
        if isinstance(given, list):
            return [{"role": "user", "content": given}] if _is_content(given) else _checked(given)
        if is_part(given):
            return [{"role": "user", "content": [given]}]
        keys = f" with {', '.join(f'`{key}`' for key in list(given)[:8])}" if isinstance(given, Mapping) else ""
        kind = "an object" + keys if isinstance(given, Mapping) else "neither text nor messages"
        raise TargetError(f"the case's input is {kind}; give the target a `prompt` template", kind="bad_input")


class ChatTarget:
    """Asks a chat model; made by `ChatTargetOptions.bind`."""

    def __init__(
        self, options: ChatTargetOptions, client: ModelEndpoint, prompt: ChatPrompt, prices: PriceTable, address: str
    ) -> None:
        self.options = options
        self.client: ChatClient = client
        self._limit_key = client.limit_key
        self._prompt = prompt
        self._prices = prices
        self._address = address

    @property
    def name(self) -> str:
        """The model."""
        return self.options.model

    @property
    def limit_key(self) -> LimitKey | None:
        """Address and model."""
        return self._limit_key

    @property
    def rate_limit(self) -> RateLimit | None:
        """The limits given."""
        limit: RateLimit | None = self.options.rate_limit
        return limit

    def describe(self) -> dict[str, Json]:
        """Everything that decides the answers: address, model, prompts, parameters, header names; no secret."""
        options = self.options
        kept = ("model", "dialect", "api_version", "prompt", "messages", "jinja", "params", "send_seed", "stream")
        described: dict[str, Json] = {"type": "chat", "base_url": self._address, "system": self._prompt.system}
        described |= {name: getattr(options, name) for name in kept}
        described["headers"] = sorted(options.headers)
        return {name: value for name, value in described.items() if value not in (None, [], {}, False)}

    async def open(self) -> None:
        """Make the session."""
        await self.client.open()

    async def close(self) -> None:
        """Close the connections."""
        await self.client.close()

    async def respond(self, call: TargetCall) -> Output:
        """Ask the model.

        Raises:
            TargetError: The attempt failed.
        """
        params = self.options.params
        if self.options.send_seed and call.seed is not None:
            params = {**params, "seed": call.seed}
        reply = await self.client.complete(
            ChatRequest(
                messages=self._prompt.messages(call),
                params=params,
                idempotency_key=call.idempotency_key,
                observe=call.observe,
            )
        )
        return self._output(reply)

    def _output(self, reply: ChatReply) -> Output:
        metadata: dict[str, Json] = {}
        if reply.refusal:
            metadata["refusal"] = reply.refusal
        if reply.reasoning:
            metadata["reasoning"] = reply.reasoning
        return Output(
            text=reply.text or reply.refusal or "",
            tool_calls=reply.tool_calls,
            parts=reply.parts,
            usage=reply.usage,
            cost=self._prices.cost(reply.model or self.options.model, reply.usage, asked=self.options.model),
            latency_s=reply.latency_s,
            first_token_s=reply.first_token_s,
            model=reply.model,
            finish_reason=reply.finish_reason,
            metadata=metadata,
        )


def _is_content(given: list[Json]) -> bool:
    """Whether a list is the parts of one message, not a conversation."""
    parts = [part for part in given if isinstance(part, Mapping) and "role" not in part]
    return bool(given) and len(parts) == len(given) and all(is_part(part) or "type" in part for part in parts)


def _with_media(text: str, given: Json) -> Json:
    """A message's text, with the media of the case's input behind it."""
    media = [] if isinstance(given, str) else parts_of(given)
    return [{"type": "text", "text": text}, *media] if media else text


def _values(call: TargetCall) -> dict[str, Json]:
    return {name: getattr(call, name) for name in _NAMES}


def _checked(messages: Json) -> list[dict[str, Json]]:
    if not isinstance(messages, list) or not messages:
        raise TargetError("the conversation is not a list of messages, or an empty one", kind="bad_input")
    for index, message in enumerate(messages):
        if not isinstance(message, Mapping) or message.get("role") not in _ROLES:
            roles = ", ".join(sorted(_ROLES))
            raise TargetError(f"message {index} of the conversation has no `role` among {roles}", kind="bad_input")
    return messages
