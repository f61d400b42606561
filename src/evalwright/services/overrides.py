"""Settings from the command line over those of a suite."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from evalwright.core.errors import UsageError
from evalwright.core.run import Budget, CacheMode
from evalwright.services.evaluation import check_settings
from evalwright.services.sources import RunSource
from evalwright.suites.quantities import budget, duration


class Overrides(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asked for beside the suite; None leaves the suite's own setting."""

    limit: int | None = None
    trials: int | None = None
    concurrency: int | None = None
    workers: int | None = None
    seed: int | None = None
    tags: tuple[str, ...] | None = None
    filter: str | None = None
    budget: Budget | None = None
    retries: int | None = None
    timeout_s: float | None = None
    cache: CacheMode | None = None
    max_errors: float | None = None
    strict: bool | None = None

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Overrides:
        """Read the options of `evalwright run` as click gives them.

        Raises:
            UsageError: A quantity can't be read.
        """
        tags = options.get("tags")
        return cls(
            limit=options.get("limit"),
            trials=options.get("trials"),
            concurrency=options.get("concurrency"),
            workers=options.get("workers"),
            seed=options.get("seed"),
            tags=None if tags is None else tuple(tag.strip() for tag in tags.split(",") if tag.strip()),
            filter=options.get("condition"),
            budget=_read("budget", budget, options),
            retries=options.get("retries"),
            timeout_s=_read("timeout", duration, options),
            cache=None if options.get("cache") is None else CacheMode(options["cache"]),
            max_errors=options.get("max_errors"),
            strict=options.get("strict") or None,
        )

    def given(self) -> dict[str, Any]:
        """The settings that were asked for, by name."""
        return {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not None}


def _read(name: str, reader: Callable[[Any], Any], options: Mapping[str, Any]) -> Any:
    text = options.get(name)
    if text is None:
        return None
    try:
        return reader(text)
    except ValueError as error:
        raise UsageError(f"--{name}: {error}") from error


def apply_overrides(source: RunSource, overrides: Overrides) -> RunSource:
    """The source with its settings replaced where a person asked for something else.

    Raises:
        UsageError: A number is out of range.
    """
    settings = msgspec.structs.replace(source.settings, **overrides.given())
    return msgspec.structs.replace(source, settings=check_settings(settings))
