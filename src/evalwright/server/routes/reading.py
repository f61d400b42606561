"""What the reading routes share: the browser of a project, and the parameters of lists."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from evalwright.governance.roles import Action
from evalwright.server.deps import ProjectContext, project_of
from evalwright.services.browsing.browser import Browser, browser_of
from evalwright.store.browse_query import STATUSES, UnitFilter

Words = Annotated[str, Query(max_length=500, description="Words that must all stand somewhere.")]
Limit = Annotated[int, Query(ge=1, le=500, description="Entries of a page.")]
Mark = Annotated[str | None, Query(max_length=500, description="`next` of the page before.")]
Slices = Annotated[list[str], Query(alias="slice", max_length=20, description="`locale:de`; all of them must hold.")]
RunId = Annotated[str, Query(max_length=200)]


def browser_for(project: Annotated[ProjectContext, Depends(project_of("viewer"))]) -> Browser:
    """A project to read figures of."""
    project.require(Action.READ_SCORES)
    return browser_of(project.workspace)


def texts_for(project: Annotated[ProjectContext, Depends(project_of("viewer"))]) -> Browser:
    """A project to read texts of: its members are its team, so its texts are their own."""
    project.require(Action.READ_TEXTS, owned=True)
    return browser_of(project.workspace)


Figures = Annotated[Browser, Depends(browser_for)]
Texts = Annotated[Browser, Depends(texts_for)]


def unit_filter(  # noqa: PLR0913 - one parameter of the address each
    status: Annotated[str, Query(description=f"One of {', '.join(STATUSES)}.", max_length=20)] = "all",
    metric: Annotated[str | None, Query(max_length=200, description="Metric that `min` and `max` are about.")] = None,
    min: Annotated[float | None, Query(description="Least value of the metric.")] = None,
    max: Annotated[float | None, Query(description="Largest value of the metric.")] = None,
    where: Annotated[
        list[str] | None,
        Query(
            max_length=20, description="Conditions: `groundedness<0.5`, `latency>2`, `error=timeout`, `m.passed=false`."
        ),
    ] = None,
    slice: Annotated[list[str] | None, Query(max_length=20, description="`locale:de`; all must hold.")] = None,
    q: Words = "",
    sort: Annotated[
        str,
        Query(
            max_length=220, description="`id`, `latency`, `cost`, `passed`, `score:<metric>`; `-` in front turns it."
        ),
    ] = "id",
    trial: Annotated[int | None, Query(ge=0, le=1_000_000, description="Only this trial, from 0.")] = None,
) -> UnitFilter:
    """Which units of a run a list shows."""
    conditions = list(where or ())
    if metric is not None:
        conditions += [f"{metric}>={min}"] if min is not None else []
        conditions += [f"{metric}<={max}"] if max is not None else []
    return UnitFilter(
        status=status, where=tuple(conditions), slices=slice_labels(slice), text=q, sort=sort, trial=trial
    )


def slice_labels(given: list[str] | None) -> tuple[str, ...]:
    """`locale:de` as estimates write it, `locale=de`."""
    return tuple(text if "=" in text else text.replace(":", "=", 1) for text in given or ())


UnitsWanted = Annotated[UnitFilter, Depends(unit_filter)]
