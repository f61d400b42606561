"""Judges made and asked in a few words."""

import asyncio
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from evalwright.core.case import Case
from evalwright.core.component import BindContext
from evalwright.core.output import Output
from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext
from evalwright.scorers.catalog import SCORERS, load

RUBRIC = {
    "rubric": "helpful",
    "criterion": "Does the answer solve what was asked?",
    "levels": [{"name": "bad", "value": 0}, {"name": "fair", "value": 0.5}, {"name": "good", "value": 1}],
    "pass_from": "good",
}


def made(name: str, base_dir: Path = Path(), **options: Any) -> Any:
    """A judge of the catalog, bound."""
    given = {"model": "judge-1", **options} if "judges" not in options else options
    if "criterion" not in given:
        given.setdefault("rubric", RUBRIC)
    return TypeAdapter(load(SCORERS[name])).validate_python(given).bind(BindContext(base_dir=base_dir))


def score(judge: Any, output: Any = "Five days.", expected: Any = None, **case: Any) -> Score:
    """One answer judged, the connection opened and closed."""
    given = output if isinstance(output, Output) else Output(text=output)
    fields = {"id": "c", "input": "How long do refunds take?", "expected": expected, **case}
    context = ScoreContext(case=Case(**fields), output=given)

    async def run() -> Score:
        await judge.open()
        try:
            return await judge.score(context)
        finally:
            await judge.close()

    return asyncio.run(run())
