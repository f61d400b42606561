"""From what a person names to a scorer: `suite.yaml:metric`, a metric of a run, or a scorer's own name."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from evalwright.core.component import Bindable, BindContext
from evalwright.core.errors import UsageError
from evalwright.core.run import Manifest, RunSettings
from evalwright.core.scorer import BoundScorer
from evalwright.services.sources import bound_scorers
from evalwright.services.suite_files import check_exists, suite_of_run
from evalwright.services.vocabulary import vocabulary
from evalwright.suites import load_suite


def find_scorer(reference: str, manifest: Manifest | None = None) -> tuple[BoundScorer, RunSettings]:
    """A scorer with the settings of its suite.

    Args:
        reference: `suite.yaml:metric`; a metric's name when there is a run; or the name of a scorer that needs no
            options.
        manifest: The run whose suite names the metric.

    Raises:
        UsageError: There is none of that name.
        ConfigError: The suite is wrong.
    """
    suite, _, metric = reference.rpartition(":")
    if not suite and manifest is not None:
        suite = suite_of_run(manifest)
    if suite:
        return _of_suite(suite, metric)
    return _by_name(metric), RunSettings()


def _of_suite(suite: str, metric: str) -> tuple[BoundScorer, RunSettings]:
    check_exists(suite)
    loaded = load_suite(suite, vocabulary()).suite
    scorers = bound_scorers(loaded.scorers)
    for bound in scorers:
        if bound.metric == metric:
            return bound, loaded.settings
    raise UsageError(
        f"{suite} has no metric `{metric}`", hint=f"there are: {', '.join(bound.metric for bound in scorers) or 'none'}"
    )


def _by_name(name: str) -> BoundScorer:
    known = vocabulary().scorers
    if name not in known:
        near = get_close_matches(name, known, n=1)
        meant = f"did you mean `{near[0]}`? " if near else ""
        hint = f"{meant}write SUITE.yaml:METRIC for one of a suite; evalwright list scorers"
        raise UsageError(f"there is no scorer `{name}`", hint=hint)
    try:
        made = TypeAdapter(known[name]).validate_python({})
    except ValidationError as error:
        missing = ", ".join(".".join(map(str, item["loc"])) for item in error.errors())
        raise UsageError(
            f"`{name}` needs options: {missing}", hint="put it into a suite and write SUITE.yaml:METRIC"
        ) from None
    context = BindContext(base_dir=Path(), environment=os.environ)
    return bound_scorers([made.bind(context) if isinstance(made, Bindable) else made])[0]
