"""Asking a model on the evaluation's own behalf (judges, simulated users, drafts): where it is, what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from evalwright.core.case import Json
from evalwright.core.component import BindContext
from evalwright.core.errors import TargetError
from evalwright.core.identity import content_hash
from evalwright.core.output import Output, Usage
from evalwright.core.target import RateLimit
from evalwright.models.chat import ChatClient, ChatReply, ChatRequest, ignore_rates
from evalwright.models.dialects import DIALECTS
from evalwright.models.endpoint import EndpointSpec, ModelEndpoint
from evalwright.models.options import Duration, RateLimitOption, config_error
from evalwright.models.prices import Price, PriceTable, price_table
from evalwright.models.secrets import expand, expand_public, find_secrets, refuse_literal_secret
from evalwright.models.transport import Limits

CHARS_PER_TOKEN = 4.0
REPLY_TOKENS = 150
"""Tokens a verdict with its reasons, or a short message, usually takes."""

_NO_SEED = {"anthropic", "responses"}
_SCHEMA_REFUSED = {400, 404, 415, 422, 501}


class ModelPrice(BaseModel):
    """What a model costs, in money per million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: float = Field(ge=0, description="Per million input tokens.")
    output: float = Field(0.0, ge=0, description="Per million output tokens.")
    cached: float | None = Field(None, ge=0, description="Per million cached input tokens; as input when not given.")


class ModelOptions(BaseModel):
    """The endpoint of a model the evaluation asks itself, with the same options as a chat target."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(
        description="Model to ask; on Azure the deployment. Name a dated version, so that it does not change by itself."
    )
    base_url: str | None = Field(
        None, description="Address with the version, e.g. `http://localhost:8000/v1`; by default the provider's own."
    )
    api_key: str | None = Field(
        None,
        description="Key by reference, e.g. `${OPENAI_API_KEY}`; by default the provider's usual variable when set.",
    )
    dialect: Literal["openai", "responses", "azure", "anthropic", "gemini"] = Field(
        "openai", description="Which provider's JSON the endpoint speaks; gateways and local servers speak `openai`."
    )
    api_version: str | None = Field(None, description="API version, for Azure and Anthropic.")
    temperature: float | None = Field(0.0, ge=0, description="Sampling temperature; `null` sends none.")
    seed: int | None = Field(0, description="Seed sent with each call where the provider takes one; `null` sends none.")
    params: dict[str, Any] = Field(
        default_factory=dict, description="Further parameters by OpenAI's names, e.g. `{ max_tokens: 512 }`."
    )
    structured: Literal["auto", "schema", "text"] = Field(
        "auto",
        description="Ask for an answer that follows a JSON Schema: `auto` does, and goes without where the endpoint "
        "refuses; `schema` insists; `text` never asks.",
    )
    headers: dict[str, str] = Field(default_factory=dict, description="Further headers; secrets by reference.")
    timeout: Duration | None = Field(None, description="Longest time for one answer; the run's timeout holds as well.")
    max_body: PositiveInt = Field(4 * 1024 * 1024, description="Largest answer read, in bytes.")
    rate_limit: RateLimitOption = Field(
        None, description="Limits known beforehand: `300/min`, `100k tokens/min`, or a mapping; learned when not given."
    )
    price: ModelPrice | None = Field(None, description="Price of the model; from the price table when not given.")

    def model_client(self, context: BindContext) -> ModelClient:
        """The client, with everything checked that can be without a call.

        Raises:
            ConfigError: A secret is written literally, a variable is not set, or the address is wrong.
        """
        self._refuse_secrets()
        base = expand(self.base_url, context.environment, key="base_url") if self.base_url else ""
        dialect = DIALECTS[self.dialect]()
        if self.api_version is not None:
            if not hasattr(dialect, "api_version"):
                raise config_error(f"`{self.dialect}` has no API version", key="api_version", hint="leave it out")
            dialect.api_version = self.api_version
        spec = EndpointSpec(
            model=self.model,
            dialect=dialect,
            base_url=base,
            api_key=self.api_key,
            headers=self.headers,
            limits=Limits(total_s=self.timeout, max_body=self.max_body),
        )
        address = expand_public(self.base_url or dialect.base_url, context.environment)
        return ModelClient(self, ModelEndpoint(spec, context.environment), self._prices(context), address)

    def call_params(self) -> dict[str, Json]:
        """Parameters sent with each call."""
        made: dict[str, Json] = {}
        if self.temperature is not None:
            made["temperature"] = self.temperature
        if self.seed is not None and self.dialect not in _NO_SEED:
            made["seed"] = self.seed
        return made | self.params

    def _refuse_secrets(self) -> None:
        for key in ("base_url", "model"):
            refuse_literal_secret(key, getattr(self, key) or "")
        for path, found in find_secrets(self.params):
            raise config_error(
                f"this looks like {found}", key=".".join(map(str, ("params", *path))), hint="use `headers`"
            )

    def _prices(self, context: BindContext) -> PriceTable:
        if self.price is None:
            return price_table(context.environment)
        price = Price(input=self.price.input, output=self.price.output, cached=self.price.cached)
        return PriceTable({self.model: price}, fallback=price)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One reply of such a model.

    Attributes:
        text: What it said.
        refusal: The provider's separate refusal, where there was one.
        model: The model as the provider named it.
        usage: Tokens, None when unknown.
        cost: Money, None when unknown.
    """

    text: str
    refusal: str | None = None
    model: str | None = None
    usage: Usage | None = None
    cost: float | None = None


class ModelClient:
    """Asks a model: through the run's meter where there is one, so that calls are limited, retried, counted.

    Args:
        options: The endpoint's options.
        client: What sends the requests.
        prices: Prices of models.
        address: The address as it may be shown.
    """

    def __init__(
        self, options: ModelOptions, client: ModelEndpoint | ChatClient, prices: PriceTable, address: str
    ) -> None:
        self.options = options
        self.client: ChatClient = client
        self._key = getattr(client, "limit_key", None)
        self._prices = prices
        self._address = address
        self._structured = options.structured != "text"

    def describe(self) -> dict[str, Json]:
        """What decides the replies: address, model, parameters; no secret."""
        options = self.options
        described: dict[str, Json] = {
            "model": options.model,
            "base_url": self._address,
            "dialect": options.dialect,
            "api_version": options.api_version,
            "params": options.call_params(),
            "structured": options.structured,
            "headers": sorted(options.headers),
        }
        return {name: value for name, value in described.items() if value not in (None, [], {})}

    async def open(self) -> None:
        """Make the session."""
        await self.client.open()

    async def close(self) -> None:
        """Close the connections."""
        await self.client.close()

    async def ask(
        self, messages: Sequence[Mapping[str, Json]], schema: Mapping[str, Json] | None, services: Mapping[str, Any]
    ) -> Told:
        """Send one conversation.

        Args:
            messages: The conversation.
            schema: JSON Schema the reply should follow; None for free text.
            services: The scorer's services: `meter` counts the calls, `replies` holds those of earlier runs.

        Raises:
            TargetError: The call failed for good.
        """
        wanted = schema if self._structured else None
        try:
            return await self._send(messages, wanted, services)
        except TargetError as error:
            if wanted is None or self.options.structured == "schema" or not _refuses_schema(error):
                raise
        told = await self._send(messages, None, services)
        self._structured = False  # it was the schema: this endpoint takes none, so it is not asked again
        return told

    async def _send(
        self, messages: Sequence[Mapping[str, Json]], schema: Mapping[str, Json] | None, services: Mapping[str, Any]
    ) -> Told:
        params = self.options.call_params()
        kept, key = services.get("replies"), ""
        if kept is not None:
            key = content_hash(["judge reply", self.describe(), messages, schema])
            if (stored := kept.get(key)) is not None:
                return Told(text=stored.text, refusal=stored.metadata.get("refusal"), model=stored.model)

        async def send(observe: Any) -> Told:
            request = ChatRequest(messages=messages, params=params, json_schema=schema, observe=observe)
            return self._told(await self.client.complete(request))

        meter = services.get("meter")
        limit: RateLimit | None = self.options.rate_limit
        if meter is None or self._key is None:
            told = await send(ignore_rates)
        else:
            told = await meter.call(self._key, send, limit=limit)
        if kept is not None:
            kept.put(key, Output(text=told.text, model=told.model, metadata={"refusal": told.refusal}))
        return told

    def expected_spending(self, system: str, shown_tokens: float) -> tuple[float, float]:
        """Tokens and money one call will probably take.

        Args:
            system: Instructions.
            shown_tokens: Tokens of the case and the answer shown.
        """
        asked = round(len(system) / CHARS_PER_TOKEN + shown_tokens)
        usage = Usage(input_tokens=asked, output_tokens=REPLY_TOKENS, estimated=True)
        return float(usage.total_tokens), self._prices.cost(self.options.model, usage) or 0.0

    def _told(self, reply: ChatReply) -> Told:
        asked = self.options.model
        return Told(
            text=reply.text,
            refusal=reply.refusal
            or ("the provider's content filter" if reply.finish_reason == "content_filter" else None),
            model=reply.model,
            usage=reply.usage,
            cost=self._prices.cost(reply.model or asked, reply.usage, asked=asked),
        )


def _refuses_schema(error: TargetError) -> bool:
    return error.status in _SCHEMA_REFUSED and error.kind in {"bad_request", "not_found", "server"}
