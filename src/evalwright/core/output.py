"""What a target gave back: the answer and every part of the system behind it that it lets us see."""

from __future__ import annotations

import msgspec

from evalwright.core.case import Json


class Usage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Tokens of one or several calls, as the provider counted them (or estimated, then `estimated` is true)."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    estimated: bool = False

    @property
    def total_tokens(self) -> int:
        """Input and output tokens together."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        """The sum of two usages; estimated when either is."""
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            estimated=self.estimated or other.estimated,
        )


class Passage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One retrieved context: its id in the corpus, its text, and the retriever's score."""

    id: str = ""
    text: str = ""
    score: float | None = None
    metadata: dict[str, Json] = {}


class ToolCall(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call of a tool by the target: name, arguments, and what came back."""

    name: str
    arguments: Json = None
    id: str = ""
    result: Json = None
    error: str | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One action of a trace: its kind (`llm`, `tool`, `retrieval`, `agent` …), name, and timing in seconds."""

    kind: str
    name: str = ""
    input: Json = None
    output: Json = None
    error: str | None = None
    start_s: float | None = None
    duration_s: float | None = None
    children: tuple[Step, ...] = ()


class Output(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A target's answer to one case.

    Attributes:
        text: The answer as text; empty when there is none.
        data: The answer as a JSON value where the target gives one.
        parts: Pictures, sound and documents the target answered with (`core.media`), by digest once recorded.
        messages: The whole conversation, `{"role", "content", …}` each, where the target shows it.
        tool_calls: Tools called, in order.
        contexts: Passages retrieved, best first.
        citations: Ids the answer cites, in order of appearance.
        usage: Tokens; None when unknown.
        cost: In the currency of the price table (USD by default); None when unknown.
        latency_s: Wall seconds of the answered attempt.
        first_token_s: Seconds to the first token of a streamed answer.
        model: The model as the provider named it in its answer.
        finish_reason: Why the model stopped, as the provider says it.
        steps: Trace of what happened inside.
        metadata: Anything else worth keeping.
    """

    text: str = ""
    data: Json = None
    parts: tuple[dict[str, Json], ...] = ()
    messages: tuple[dict[str, Json], ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    contexts: tuple[Passage, ...] = ()
    citations: tuple[str, ...] = ()
    usage: Usage | None = None
    cost: float | None = None
    latency_s: float | None = None
    first_token_s: float | None = None
    model: str | None = None
    finish_reason: str | None = None
    steps: tuple[Step, ...] = ()
    metadata: dict[str, Json] = {}
