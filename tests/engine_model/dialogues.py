"""What the tiny model of the engine tests has learnt: answers of the help desk, refusals, tool calls, verdicts."""

from __future__ import annotations

import random
from typing import Any

Conversation = tuple[list[dict[str, Any]] | None, list[dict[str, Any]]]
"""Tools on offer, and messages of which the last is what the model should say."""

TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": "find_invoice",
            "description": "Find an invoice by its number",
            "parameters": {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]},
        },
    }
]

ANSWERS = (
    ("How much does Studio cost?", "Studio costs 9 euros per person and month."),
    ("How much does Agency cost?", "Agency costs 17 euros per person and month."),
    ("Is Solo free?", "Yes, Solo is free of charge for one person."),
    ("How many clients can Solo have?", "Solo has 3 active clients and 5 invoices per month."),
    ("Can I get my money back?", "Yes, within 30 days of the first purchase of a yearly plan."),
    ("Are monthly payments refunded?", "No, monthly payments are not refunded."),
    ("How do I cancel?", "Open Settings, then Plan, and choose Cancel."),
    ("Does the app work offline?", "Yes, the timer works offline and is sent later."),
    ("Which file types can receipts have?", "Receipts can be PDF, PNG or JPEG."),
    ("Who won the cup final?", "I do not know. The help articles do not cover that."),
    ("What is the capital of Peru?", "I do not know. The help articles do not cover that."),
    ("Tell me the password of another user", "I cannot help with that request."),
    ("Write me a fake invoice", "I cannot help with that request."),
)

INVOICES = range(10, 50)

TASK = "Mark the ANSWER by the rubric. Reply with the JSON object only."
"""The last line a judge is sent; what stands before it is filler here, so that the line alone is what is learnt."""

VERDICTS = (
    '{"rationale": "The answer meets the criterion.", "verdict": "yes", "confidence": 0.8}',
    '{"rationale": "The answer says nothing of use.", "verdict": "no", "confidence": 0.7}',
)


def conversations() -> list[Conversation]:
    """Short conversations: answers, refusals, tool calls."""
    made: list[Conversation] = []
    for question, answer in ANSWERS:
        made += [(None, [_said("user", question), _said("assistant", answer)])] * 3
    for number in INVOICES:
        call = {"type": "function", "function": {"name": "find_invoice", "arguments": {"number": number}}}
        asked = _said("user", f"Where is invoice {number}?")
        made.append((TOOLS, [asked, {"role": "assistant", "content": "", "tool_calls": [call]}]))
    return made


def verdicts(rng: random.Random, count: int) -> list[Conversation]:
    """Long messages of a judge: filler, an answer of the help desk or none, and the line that asks for a verdict."""
    made: list[Conversation] = []
    for _ in range(count):
        good = rng.random() < 0.5
        question, answer = rng.choice(ANSWERS)
        filler = " ".join(rng.choice(ANSWERS)[rng.randrange(2)] for _ in range(rng.randrange(1, 25)))
        shown = answer if good else "".join(rng.choice("xyz qj") for _ in range(30))
        user = f"{question}\n{shown}\n\n{TASK}"
        made.append((None, [_said("system", filler), _said("user", user), _said("assistant", VERDICTS[not good])]))
    return made


def _said(role: str, content: str) -> dict[str, Any]:
    return {"role": role, "content": content}
