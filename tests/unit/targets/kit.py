"""What the tests of all targets share."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from evalwright.core.component import BindContext
from evalwright.core.errors import TargetError
from evalwright.core.output import Output
from evalwright.core.target import Target, TargetCall

SYSTEM = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONDONTWRITEBYTECODE") if name in os.environ}


def context(folder: Path | str = ".", **environment: str) -> BindContext:
    return BindContext(base_dir=Path(folder), environment={**SYSTEM, **environment})


def call(input_value: Any = "hello", case_id: str = "a", **parts: Any) -> TargetCall:
    return TargetCall(case_id=case_id, input=input_value, **parts)


@asynccontextmanager
async def opened(target: Target) -> AsyncIterator[Target]:
    await target.open()
    try:
        yield target
    finally:
        await target.close()


async def answer(target: Target, input_value: Any = "hello", case_id: str = "a", **parts: Any) -> Output:
    """Open, ask once, close."""
    async with opened(target):
        return await target.respond(call(input_value, case_id, **parts))


async def failure(target: Target, input_value: Any = "hello", case_id: str = "a", **parts: Any) -> TargetError:
    """The error asking once ends in."""
    async with opened(target):
        with pytest.raises(TargetError) as raised:
            await target.respond(call(input_value, case_id, **parts))
    return raised.value
