"""Records on the wire."""

import enum
import json
import math
from typing import Literal

import msgspec
from pydantic import BaseModel

from evalwright.core.estimate import Estimate
from evalwright.server.wire import JsonAnswer, Page, model_of


class Colour(enum.Enum):
    RED = "red"


class Inner(msgspec.Struct, frozen=True, kw_only=True):
    """An inner one."""

    value: float | None = None


class Outer(msgspec.Struct, frozen=True, kw_only=True):
    """An outer one.

    Attributes:
        name: Not part of the heading.
    """

    name: str
    inner: Inner
    many: tuple[Inner, ...] = ()
    by_name: dict[str, Inner] = {}
    colour: Colour = Colour.RED
    kind: Literal["a", "b"] = "a"
    tags: frozenset[str] = frozenset()


def test_a_struct_with_structs_in_it_round_trips():
    made = Outer(name="x", inner=Inner(value=1.5), many=(Inner(),), by_name={"k": Inner(value=2.0)})
    found = json.loads(model_of(Outer).model_validate(made).model_dump_json())
    assert found == {
        "name": "x", "inner": {"value": 1.5}, "many": [{"value": None}], "by_name": {"k": {"value": 2.0}},
        "colour": "red", "kind": "a", "tags": [],
    }  # fmt: skip


def test_the_model_describes_itself():
    schema = model_of(Outer).model_json_schema()
    assert schema["description"] == "An outer one."
    assert schema["required"] == ["name", "inner"]
    assert model_of(Outer) is model_of(Outer)


def test_estimates_keep_all_fields():
    fields = set(model_of(Estimate).model_fields)
    assert {"metric", "value", "low", "high", "method", "n", "unit", "higher_is_better"} <= fields


def test_large_answers_have_null_for_what_is_no_number():
    class Row(BaseModel):
        a: int

    answer = JsonAnswer(Page[Row](items=[Row(a=1)], total=1))
    assert json.loads(answer.body) == {"items": [{"a": 1}], "total": 1, "next": None}
    assert json.loads(JsonAnswer({"x": [math.nan, math.inf], "s": Inner(value=math.nan)}).body) == {
        "x": [None, None],
        "s": {"value": None},
    }
