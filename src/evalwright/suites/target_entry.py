"""The target of a suite file: found by its type, given its options; made when it is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from evalwright.core.case import Json
from evalwright.core.component import Bindable, BindContext, Vocabulary
from evalwright.core.errors import ConfigError, EvalwrightError, Problem
from evalwright.suites.document import Document, Problems
from evalwright.suites.explain import shown
from evalwright.suites.keys import option_keys
from evalwright.suites.options import make_options
from evalwright.suites.suggest import listed, suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSpec:
    """A target as a suite names it.

    Attributes:
        type: Its type, e.g. `chat`; `object` for one made in Python.
        options: The checked options, or the object made in Python.
        context: What it is made with.
        document: The file, for messages; None for a Python suite.
    """

    type: str
    options: Any
    context: BindContext
    document: Document | None = None

    @property
    def imports_code(self) -> bool:
        """Whether making it imports a module of the user's."""
        return "callable" in option_keys(type(self.options)) or bool(getattr(self.options, "imports_code", False))

    def build(self) -> Any:
        """Make the target: a `core.target.Target`, or whatever callable a Python suite gave.

        Nothing is called and no connection is opened; files and variables it needs must exist.

        Raises:
            ConfigError: An option names something that does not exist, or a variable is not set.
        """
        if self.document is None or not isinstance(self.options, Bindable):
            return self.options
        problems = Problems(self.document)
        target = self.bind(problems)
        problems.stop()
        return target

    def bind(self, problems: Problems) -> Any | None:
        """Make the target; what is wrong is noted at its place in the file."""
        try:
            return self.options.bind(self.context) if isinstance(self.options, Bindable) else self.options
        except ConfigError as error:
            problems.adopt(error.problems, ("target",))
        except (EvalwrightError, ValueError, TypeError, OSError) as error:
            problems.add(("target",), f"the target `{self.type}`: {getattr(error, 'message', error)}", key=True)
        return None


def read_target(value: Json, problems: Problems, vocabulary: Vocabulary, context: BindContext) -> TargetSpec | None:
    """The `target` part; None when there is none or something is wrong with it."""
    if value is None:
        return None
    if not isinstance(value, dict):
        problems.add(("target",), f"the target is a mapping, not {shown(value)}", hint=_EXAMPLE)
        return None
    kind = value.get("type")
    known = vocabulary.targets
    if not isinstance(kind, str):
        message = "the target needs a `type`" if kind is None else f"`type` must be a text, not {shown(kind)}"
        problems.add(
            ("target", "type") if "type" in value else ("target",), message, hint=f"one of {listed(sorted(known))}"
        )
        return None
    if kind not in known:
        rest = f"the types are {listed(sorted(known))}"
        problems.add(("target", "type"), f"unknown target type `{kind}`", hint=suggestion(kind, known, rest=rest))
        return None
    given = {key: item for key, item in value.items() if key != "type"}
    options = _options(kind, given, problems, vocabulary)
    return (
        None if options is None else TargetSpec(type=kind, options=options, context=context, document=problems.document)
    )


_EXAMPLE = "e.g. `target: { type: python, callable: app.py:answer }`"


def _options(kind: str, given: dict[str, Json], problems: Problems, vocabulary: Vocabulary) -> Any | None:
    try:
        component = vocabulary.targets[kind]
    except EvalwrightError as error:
        problems.found.append(Problem(message=error.message, hint=error.hint, file=problems.document.name))
        return None
    return make_options(component, given, problems, ("target",), what=f"the target `{kind}`", also=("type",))
