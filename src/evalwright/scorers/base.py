"""What the built-in scorers share: options that describe themselves, and one way to say "does not apply"."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Annotated, Any, ClassVar

import msgspec
from pydantic import Field

from evalwright.core.case import Case, Json
from evalwright.core.errors import UsageError
from evalwright.core.identity import canonical_json
from evalwright.core.output import Output
from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext, ScoreInfo
from evalwright.scorers.paths import MISSING, lookup

_SURROGATE = re.compile("[\ud800-\udfff]")

ExpectedPath = Annotated[
    str | None,
    Field(
        description="Where the expected value stands when it is not the whole of `expected`: a dotted path in "
        "`expected` (`answer`), or one that starts with `metadata.` or `input.`."
    ),
]
FieldPath = Annotated[
    str | None,
    Field(description="Dotted path of the part of the output to judge (`data.total`); the answer's text by default."),
]


class OptionError(UsageError, ValueError):
    """An option of a scorer has a value that can't work (a pattern that does not compile, say)."""


class NotApplicable(Exception):
    """The scorer has nothing to judge here; the message becomes the reason of a skipped score."""


@dataclass(frozen=True)
class RuleScorer:
    """Base of the built-in scorers: fields are options, `judge` does the work.

    A subclass is a frozen dataclass. Its fields are typed and described (`Annotated[..., Field(description=...)]`), it
    sets `INFO` (or overrides `info` when options decide it) and implements `judge`.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    INFO: ClassVar[ScoreInfo]

    @property
    def info(self) -> ScoreInfo:
        """Name, version, range and direction of the scores."""
        return self.INFO

    def describe(self) -> dict[str, Json]:
        """Every option with its value, as JSON values."""
        options = {item.name: getattr(self, item.name) for item in fields(self)}
        described: dict[str, Json] = msgspec.json.decode(msgspec.json.encode(options))
        return described

    def score(self, ctx: ScoreContext) -> Score:
        """Judge one output; skipped with a reason where the scorer does not apply."""
        try:
            return self._judge_readable(ctx)
        except NotApplicable as nothing:
            return Score.skip(str(nothing))

    def _judge_readable(self, ctx: ScoreContext) -> Score:
        """Half a surrogate pair, which no library takes, is read as a replacement character."""
        try:
            return self.judge(ctx)
        except UnicodeEncodeError:
            return self.judge(readable(ctx))

    def judge(self, ctx: ScoreContext) -> Score:
        """Judge one output.

        Raises:
            NotApplicable: There is nothing to judge, e.g. the case has no expected value.
        """
        raise NotImplementedError


def readable(ctx: ScoreContext) -> ScoreContext:
    """The context with every lone surrogate replaced by U+FFFD, so that places stay where they are."""
    case = msgspec.convert(_without_surrogates(msgspec.to_builtins(ctx.case)), Case)
    output = msgspec.convert(_without_surrogates(msgspec.to_builtins(ctx.output)), Output)
    return msgspec.structs.replace(ctx, case=case, output=output)


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(inner) for key, inner in value.items()}
    return [_without_surrogates(inner) for inner in value] if isinstance(value, list | tuple) else value


def as_text(value: Json) -> str:
    """A JSON value as the text it is compared by: strings as they are, everything else as canonical JSON."""
    return value if isinstance(value, str) else canonical_json(value).decode()


def expected_value(ctx: ScoreContext, path: str | None) -> Json:
    """What the case expects, whole or at a path.

    Raises:
        NotApplicable: The case does not say.
    """
    if path is None:
        value = ctx.case.expected
    else:
        value = _at_case_path(ctx, path)
    if value is None or value is MISSING:
        raise NotApplicable(f"the case has no expected value{f' at `{path}`' if path else ''}")
    return value


def _at_case_path(ctx: ScoreContext, path: str) -> Json:
    root, _, rest = path.partition(".")
    if root in ("expected", "metadata", "input"):
        base = getattr(ctx.case, root)
        return lookup(base, rest) if rest else base
    return lookup(ctx.case.expected, path)


def references(ctx: ScoreContext, path: str | None) -> tuple[str, ...]:
    """The accepted answers as texts: one for a scalar, all of a list.

    Raises:
        NotApplicable: There is none, or it is an object whose part to compare was not named.
    """
    value = expected_value(ctx, path)
    items = value if isinstance(value, (list, tuple)) else (value,)
    if not items:
        raise NotApplicable("the case's list of accepted answers is empty")
    for item in items:
        if isinstance(item, dict):
            key = next(iter(item), "answer")
            raise NotApplicable(f"expected is an object; name its part with the option `expected`, e.g. `{key}`")
    return tuple(as_text(item) for item in items)


def answer_value(ctx: ScoreContext, field: str | None) -> Json:
    """The part of the output to judge: its text, or the value at a path.

    Raises:
        NotApplicable: The output has nothing at the path.
    """
    if field is None:
        return ctx.output.text
    value = lookup(ctx.output, field)
    if value is MISSING:
        raise NotApplicable(f"the output has no `{field}`")
    return value


def answer_text(ctx: ScoreContext, field: str | None) -> str:
    """The part of the output to judge, as text; an empty answer is the empty text.

    Raises:
        NotApplicable: The output has nothing at the path.
    """
    value = answer_value(ctx, field)
    return "" if value is None else as_text(value)
