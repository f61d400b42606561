"""A target from any Python object: the door of the Python API."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evalwright.core.case import Json
from evalwright.core.component import Bindable, BindContext
from evalwright.core.errors import TargetError, UsageError
from evalwright.core.identity import content_hash
from evalwright.core.output import Output
from evalwright.core.target import LimitKey, RateLimit, Target, TargetCall
from evalwright.models import jsonio
from evalwright.targets.answers import as_output
from evalwright.targets.python import PythonTarget


def target_from(obj: Any, *, name: str | None = None, context: BindContext | None = None) -> Target:
    """Make a target from whatever answers.

    Args:
        obj: A target; target options; a function, sync or async, or an object that can be called (see
            `PythonTargetOptions` for how); or recorded outputs: a mapping from case id to text, output fields or
            `Output`.
        name: Name for reports.
        context: For options: where relative paths start, and the environment.

    Raises:
        ConfigError: The function can't be called with an input, or an option is wrong.
        UsageError: The object is none of these.
    """
    if isinstance(obj, Target) and not isinstance(obj, type):
        return obj
    if isinstance(obj, Bindable) and not isinstance(obj, type):
        bound: Target = obj.bind(context or BindContext(base_dir=Path()))
        return bound
    if isinstance(obj, Mapping):
        return MappingTarget(obj, name=name or "recorded")
    if callable(obj):
        return PythonTarget(obj() if isinstance(obj, type) else obj, name=name)
    hint = "give a function, a target, or a mapping from case id to text or Output"
    raise UsageError(f"a value of type `{type(obj).__name__}` can't be a target", hint=hint)


class MappingTarget:
    """Recorded outputs held in memory, by case id; a list of answers holds one for each trial."""

    recorded = True

    def __init__(self, outputs: Mapping[str, Any], *, name: str = "recorded") -> None:
        self._outputs = outputs
        self._name = name

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    @property
    def limit_key(self) -> LimitKey | None:
        """None: nothing is called."""
        return None

    @property
    def rate_limit(self) -> RateLimit | None:
        """None: nothing is called."""
        return None

    def describe(self) -> dict[str, Json]:
        """A hash of all the outputs."""
        return {"type": "recorded", "outputs": content_hash({str(key): _plain(v) for key, v in self._outputs.items()})}

    async def open(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """Nothing to do."""

    async def respond(self, call: TargetCall) -> Output:
        """The recorded answer.

        Raises:
            TargetError: There is none (kind `missing`), or it has a wrong type.
        """
        answer = self._outputs.get(call.case_id)
        trials = answer if isinstance(answer, list | tuple) else [answer]
        if answer is None or call.trial >= len(trials):
            trial = f", trial {call.trial}" if call.trial else ""
            raise TargetError(f"no recorded output for case `{call.case_id}`{trial}", kind="missing")
        return as_output(trials[call.trial], source=f"the recorded output of `{call.case_id}`")


def _plain(value: Any) -> Json:
    """The value as JSON; its type's name when it has no JSON form (it then fails when it is asked for)."""
    try:
        return jsonio.clean_json(value)
    except jsonio.BadJson:
        return type(value).__name__
