"""A small vocabulary of real components, for tests of suite files."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from evalwright.core.component import BindContext, Vocabulary
from evalwright.core.errors import ConfigError, Problem
from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind
from evalwright.models.secrets import expand


@dataclass(frozen=True)
class Exact:
    """The answer is the expected text."""

    ignore_case: bool = False

    @property
    def info(self) -> ScoreInfo:
        return ScoreInfo(name="exact", kind=ScoreKind.PROPORTION)

    def score(self, ctx: ScoreContext) -> Score:
        return Score.of(ctx.output.text == ctx.case.expected)

    def describe(self) -> dict[str, Any]:
        return {"ignore_case": self.ignore_case}


@dataclass(frozen=True)
class Words:
    """Words that must occur."""

    values: Annotated[str | tuple[str, ...], Field(description="The words.")]
    _: KW_ONLY
    mode: Annotated[Literal["all", "any", "none"], Field(description="How many.")] = "all"
    least: Annotated[int, Field(ge=1)] = 1
    threshold: float = 0.5

    def __post_init__(self) -> None:
        if self.values == "":
            raise ValueError("`values` is empty")

    @property
    def info(self) -> ScoreInfo:
        return ScoreInfo(name="words", kind=ScoreKind.PROPORTION)

    def score(self, ctx: ScoreContext) -> Score:
        return Score.of(self.values in ctx.output.text)

    def describe(self) -> dict[str, Any]:
        return {"values": self.values}


class Latency:
    """Seconds to the answer."""

    info = ScoreInfo(name="latency", kind=ScoreKind.QUANTITY, high=None, unit="s", higher_is_better=False)

    def score(self, ctx: ScoreContext) -> Score:
        return Score.of(ctx.output.latency_s or 0.0)

    def describe(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True)
class Rubric:
    """Needs a file beside the suite."""

    rubric: str
    name: str = "rubric"

    def bind(self, context: BindContext) -> Exact:
        if not (context.base_dir / self.rubric).is_file():
            problem = Problem(message=f"there is no rubric `{self.rubric}`", key="rubric", hint="write one")
            raise ConfigError([problem])
        return Exact()


class Retry(BaseModel):
    """How often."""

    model_config = ConfigDict(extra="forbid")
    times: int = Field(1, ge=0)


class HttpOptions(BaseModel):
    """A service."""

    model_config = ConfigDict(extra="forbid")
    url: str = Field(description="Where.")
    api_key: str | None = None
    headers: dict[str, str] = {}
    retry: Retry | None = None

    def bind(self, context: BindContext) -> dict[str, Any]:
        return {"url": expand(self.url, context.environment, key="url"), "base": context.base_dir}


class PythonOptions(BaseModel):
    """A function."""

    model_config = ConfigDict(extra="forbid")
    callable: str

    def bind(self, context: BindContext) -> str:
        raise ConfigError([Problem(message=f"there is no module in `{self.callable}`", key="callable")])


VOCABULARY = Vocabulary(
    scorers={"exact": Exact, "words": Words, "latency": Latency, "rubric": Rubric},
    targets={"http": HttpOptions, "python": PythonOptions},
)
