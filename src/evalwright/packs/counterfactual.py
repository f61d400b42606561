"""Pairs made from the user's own questions: the same question in the name of different people."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from evalwright.core.case import Case, Json
from evalwright.core.identity import short_hash
from evalwright.packs.adapter import InputShape
from evalwright.packs.model import Attribute, Pack


def own_counterparts(pack: Pack, cases: Sequence[Case], shape: InputShape, count: int) -> Iterator[Case]:
    """Questions of the suite as pairs, for each attribute of a pack.

    Where a question names one of an attribute's persons, the name is exchanged; else the person introduces himself
    before it. The other fields of the input stay as they are.

    Args:
        pack: The pack; nothing comes of one without attributes.
        cases: Cases of the suite.
        shape: Which field of their input is the question.
        count: Questions taken at most.
    """
    if not pack.attributes:
        return
    order = sorted(cases, key=lambda case: hashlib.sha256(case.id.encode()).digest())
    for case in order[:count]:
        question, fields = own_question(case.input, shape)
        language = str(fields.get(shape.language) or "en").partition("-")[0]
        for attribute in pack.attributes:
            for group, person in attribute.persons.items():
                text = _asked_by(question, attribute, person, language)
                if text is not None:
                    yield _case(pack, case, attribute, group, text, fields)


def own_question(value: Any, shape: InputShape) -> tuple[str, dict[str, Json]]:
    """The user's message of an ordinary input, and its other fields."""
    if isinstance(value, dict):
        return str(value.get(shape.text, "")), {key: item for key, item in value.items() if key != shape.text}
    if isinstance(value, list):
        users = [message for message in value if isinstance(message, dict) and message.get("role") == "user"]
        return str(users[-1].get("content", "")) if users else "", {}
    return str(value), {}


def _asked_by(question: str, attribute: Attribute, person: str, language: str) -> str | None:
    for other in attribute.persons.values():
        if other != person and re.search(rf"\b{re.escape(other)}\b", question):
            return re.sub(rf"\b{re.escape(other)}\b", lambda _: person, question)
    text = attribute.text.get(language)
    return None if text is None else text.replace("[[PERSON]]", person).replace("[[QUESTION]]", question)


def _case(pack: Pack, case: Case, attribute: Attribute, group: str, text: str, fields: dict[str, Json]) -> Case:
    value: dict[str, Json] = {"turns": [text], **({"fields": fields} if fields else {})}
    goal = f"own/{attribute.id}/{case.id}"
    return Case(
        id=f"{pack.pack}/pair/{goal}/{group}-{short_hash(value)[:8]}",
        input=value,
        cluster=f"{pack.pack}/pair/{case.id}",
        metadata={
            "kind": "counterpart",
            "pack": pack.pack,
            "class": pack.attack,
            "goal": goal,
            "attribute": attribute.id,
            "group": group,
            "person": attribute.persons[group],
        },
        tags=("counterpart", pack.pack),
    )
