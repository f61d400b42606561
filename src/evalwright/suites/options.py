"""Options of scorers and targets, checked against the class that declares them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pydantic_core
from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from evalwright.core.case import Json
from evalwright.suites.document import Path, Problems
from evalwright.suites.explain import explain, shown
from evalwright.suites.keys import option_keys
from evalwright.suites.suggest import suggestion


def make_options(
    component: Any, given: dict[str, Json], problems: Problems, path: Path, *, what: str, also: tuple[str, ...] = ()
) -> Any | None:
    """An instance of an option class.

    Args:
        component: A dataclass, a pydantic model, or a class without options.
        given: The options as the file has them.
        problems: Where to note what is wrong.
        path: Path of the options in the file.
        what: How messages call the component, e.g. "the scorer `regex`".
        also: Further keys allowed beside the options, for messages.

    Returns:
        The instance, None when something is wrong.
    """
    if not option_keys(component):
        return _without_options(component, given, problems, path, what=what, also=also)
    model = options_model(component)
    try:
        made = model.model_validate_json(as_json({"value": given}))
    except ValidationError as error:
        explain(error, problems, path, what=what, component=component, also=also, prefix=1)
        return None
    except (TypeError, ValueError) as error:  # an option class whose own checks raise outside pydantic
        problems.add(path, f"{what}: {error}")
        return None
    return getattr(made, "value")  # noqa: B009  the field exists on the created model only


def as_json(value: Json) -> bytes:
    """A value of a suite file as JSON text; NaN and infinities stay, for the model to refuse with a place."""
    return pydantic_core.to_json(value, inf_nan_mode="constants")


@lru_cache(maxsize=512)
def options_model(component: Any) -> type[BaseModel]:
    """A model with the option class as its field `value`: unknown keys refused, numbers finite."""
    config = ConfigDict(extra="forbid", allow_inf_nan=False, arbitrary_types_allowed=True)
    return create_model(f"{component.__name__}Options", __config__=config, value=(component, ...))


def _without_options(
    component: Any, given: dict[str, Json], problems: Problems, path: Path, *, what: str, also: tuple[str, ...]
) -> Any:
    for key in given:
        hint = suggestion(key, also) if also else "it takes none"
        problems.add((*path, key), f"unknown key `{key}` in {what}", hint=hint, key=True)
    if given:
        return None
    return component() if isinstance(component, type) else component


def as_mapping(value: Json, problems: Problems, path: Path, *, what: str) -> dict[str, Json] | None:
    """A mapping as it is, nothing as an empty one; anything else is a problem."""
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    problems.add(path, f"{what} must be a mapping, not {shown(value)}")
    return None
