"""Which column feeds which field, guessed where the names are none of those that are found by themselves."""

from __future__ import annotations

from evalwright.core.case import Json
from evalwright.datasets.fields import ALIASES

_INPUT = (
    "inputs", "text", "body", "message", "instruction", "problem", "utterance", "content", "ticket", "request", "user",
    "source",
)  # fmt: skip
_EXPECTED = (
    "expected_answer", "expected_response", "reference_outputs", "outputs", "best_answer", "correct_answer",
    "correct_label", "gold", "gold_answer", "solution", "label", "labels",
    "output", "completion", "response", "sql", "class", "category", "intent",
)  # fmt: skip
_ID = ("id", "uuid", "key", "ticket_id", "question_id", "example_id")


def guess_fields(row: Json) -> dict[str, Json]:
    """The mapping for rows with these columns.

    Only what the reader would not find by itself is named: columns in other capitals, other usual names, and where
    nothing looks like an input, all columns together.

    Example:
        >>> guess_fields({"Query": "How much?", "SQL": "select 1"})
        {'input': 'Query', 'expected': 'SQL'}
    """
    if not isinstance(row, dict) or not row:
        return {}
    names = {name.lower().replace(" ", "_"): name for name in row if isinstance(name, str)}
    fields: dict[str, Json] = {}
    for field, more in (("id", _ID), ("input", _INPUT), ("expected", _EXPECTED)):
        if not any(name in row for name in ALIASES[field]):
            found = next((names[name] for name in (*ALIASES[field], *more) if name in names), None)
            if found is not None and found not in fields.values():
                fields[field] = found
    if "input" not in fields and not any(name in row for name in ALIASES["input"]):
        taken = {*fields.values(), *(name for names_ in ALIASES.values() for name in names_)}
        rest = [name for name in row if name not in taken]
        return fields | {"input": {name: name for name in rest}} if rest else {}
    return fields
