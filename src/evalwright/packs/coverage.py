"""What was attacked of the public lists of risks, and what was not."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from evalwright.packs.expand import Untested
from evalwright.packs.outcomes import AttackRow, tally

OWASP = {
    "LLM01": "Prompt injection",
    "LLM02": "Sensitive information disclosure",
    "LLM03": "Supply chain",
    "LLM04": "Data and model poisoning",
    "LLM05": "Improper output handling",
    "LLM06": "Excessive agency",
    "LLM07": "System prompt leakage",
    "LLM08": "Vector and embedding weaknesses",
    "LLM09": "Misinformation",
    "LLM10": "Unbounded consumption",
}
AGENTIC = {
    "ASI01": "Agent goal hijack",
    "ASI02": "Tool misuse and exploitation",
    "ASI03": "Identity and privilege abuse",
    "ASI04": "Agentic supply chain",
    "ASI05": "Unexpected code execution",
    "ASI06": "Memory and context poisoning",
    "ASI07": "Insecure inter-agent communication",
    "ASI08": "Cascading failures",
    "ASI09": "Human-agent trust exploitation",
    "ASI10": "Rogue agents",
}
ATLAS = {
    "AML.T0034": "Cost harvesting",
    "AML.T0051.000": "LLM prompt injection: direct",
    "AML.T0051.001": "LLM prompt injection: indirect",
    "AML.T0053": "AI agent tool invocation",
    "AML.T0054": "LLM jailbreak",
    "AML.T0056": "Extract LLM system prompt",
    "AML.T0057": "LLM data leakage",
    "AML.T0060": "Publish hallucinated entities",
    "AML.T0068": "LLM prompt obfuscation",
    "AML.T0070": "RAG poisoning",
    "AML.T0077": "LLM response rendering",
    "AML.T0080": "AI agent context poisoning",
    "AML.T0086": "Exfiltration via AI agent tool invocation",
    "AML.T0110": "AI agent tool poisoning",
}
LISTS = {"owasp": OWASP, "agentic": AGENTIC, "atlas": ATLAS}


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One risk of a list.

    Attributes:
        list: `owasp`, `agentic` or `atlas`.
        id: As the list names it.
        name: In words.
        cases: Attacks sent.
        tries: Tries that could be judged.
        succeeded: Of these, the ones that succeeded.
        untested: Why nothing, or not everything there is, was tried; empty when all was.
    """

    list: str
    id: str
    name: str
    cases: int
    tries: int
    succeeded: int
    untested: str = ""


class Crossing(msgspec.Struct, frozen=True, kw_only=True):
    """One cell of the matrix: attacks that are of a risk and use a technique.

    Attributes:
        owasp: Risk of the OWASP list.
        atlas: Technique of MITRE ATLAS.
        cases: Attacks sent.
        tries: Tries that could be judged.
        succeeded: Of these, the ones that succeeded.
    """

    owasp: str
    atlas: str
    cases: int
    tries: int
    succeeded: int


def crossings(rows: Sequence[AttackRow]) -> list[Crossing]:
    """Every cell of OWASP risk by ATLAS technique, those without an attack included."""
    return [_crossing(owasp, atlas, rows) for owasp in OWASP for atlas in ATLAS]


def _crossing(owasp: str, atlas: str, rows: Sequence[AttackRow]) -> Crossing:
    data = [row.case.metadata for row in rows]
    mine = [
        row for row, m in zip(rows, data, strict=True) if owasp in m.get("owasp", ()) and atlas in m.get("atlas", ())
    ]
    count = tally(mine)
    tries = count.tries - count.invalid
    return Crossing(owasp=owasp, atlas=atlas, cases=count.cases, tries=tries, succeeded=count.succeeded)


def coverage(rows: Sequence[AttackRow], untested: Sequence[Untested]) -> list[Cell]:
    """Every risk of the three lists, those without an attack included."""
    return [
        _cell(list_, name, words, rows, untested) for list_, names in LISTS.items() for name, words in names.items()
    ]


def _cell(list_: str, name: str, words: str, rows: Sequence[AttackRow], untested: Sequence[Untested]) -> Cell:
    mine = [row for row in rows if name in row.case.metadata.get(list_, ())]
    count = tally(mine)
    left = [item for item in untested if name in getattr(item.tags, list_)]
    return Cell(
        list=list_,
        id=name,
        name=words,
        cases=count.cases,
        tries=count.tries - count.invalid,
        succeeded=count.succeeded,
        untested=_why(left, tested=bool(mine)),
    )


def _why(left: Sequence[Untested], *, tested: bool) -> str:
    if left:
        missing = sorted({word for item in left for word in item.missing})
        return f"{len(left)} attacks need a target that takes {', '.join(missing)}"
    return "" if tested else "no pack of this run attacks it"
