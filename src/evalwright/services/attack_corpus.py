"""The product's own documents as carriers: which of them its own questions lead to, and where the words go in."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from evalwright.core.case import Case, Json
from evalwright.core.errors import TargetError
from evalwright.core.output import Output
from evalwright.core.target import Target, TargetCall
from evalwright.packs.adapter import InputShape
from evalwright.packs.model import Host
from evalwright.scorers.paths import MISSING, lookup
from evalwright.services.attack_surface import Own

TEXTS = {".md", ".txt", ".html", ".htm", ".json", ".rst", ".adoc", ".csv", ".eml", ".xml", ".yaml", ".yml", ""}
LARGEST = 500_000
_WINDOW = 60
_POSITIONS = ("start", "middle", "end")


class OwnDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document of the product's, by its path in its folder."""

    place: str
    text: str

    @property
    def plain(self) -> str:
        """Its text with single spaces, to compare."""
        return _plain(self.text)


class Carrier(msgspec.Struct, frozen=True, kw_only=True):
    """A document that a question of the suite leads to.

    Attributes:
        document: The document.
        question: The case that leads to it.
        passage: The part the product read.
    """

    document: OwnDocument
    question: Case
    passage: str


class OwnCarriers(msgspec.Struct, frozen=True, kw_only=True):
    """What asking the suite's own questions showed.

    Attributes:
        hosts: The documents with a place for the attacker's words.
        asked: Questions asked.
        documents: Documents in the folder.
        led: Questions that led to a document of it.
    """

    hosts: tuple[Host, ...] = ()
    asked: int = 0
    documents: int = 0
    led: int = 0

    @property
    def summary(self) -> str:
        """In words."""
        used = len({host.place for host in self.hosts})
        return (
            f"{self.led} of {self.asked} questions of the suite led to one of {self.documents} own documents; "
            f"{used} of them carry attacks"
        )


def own_documents(folder: Path) -> list[OwnDocument]:
    """The texts of a folder, ordered by path."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix.lower() in TEXTS and not path.name.startswith("."):
            raw = path.read_bytes()[: LARGEST + 1]
            if len(raw) <= LARGEST and b"\0" not in raw:
                place = path.relative_to(folder).as_posix()
                found.append(OwnDocument(place=place, text=raw.decode("utf-8", errors="replace")))
    return found


def own_carriers(target: Target, cases: Sequence[Case], folder: Path, own: Own, shape: InputShape) -> OwnCarriers:
    """Ask questions of the suite and see which own documents the product reads for them."""
    documents = own_documents(folder)
    asked = sorted(cases, key=lambda case: hashlib.sha256(case.id.encode()).digest())[: own.questions]
    outputs = asyncio.run(_answers(target, asked))
    led = [carrier for case, output in zip(asked, outputs, strict=True) for carrier in _led(case, output, documents)]
    first: dict[str, Carrier] = {}
    for carrier in led:
        first.setdefault(carrier.document.place, carrier)
    chosen = list(first.values())[: own.documents]
    hosts = [host for carrier in chosen for host in _hosts(carrier, shape, own.utility)]
    questions = len({carrier.question.id for carrier in led})
    return OwnCarriers(hosts=tuple(hosts), asked=len(asked), documents=len(documents), led=questions)


async def _answers(target: Target, cases: Sequence[Case]) -> list[Output]:
    await target.open()
    try:
        return [await _answer(target, case) for case in cases]
    finally:
        await target.close()


async def _answer(target: Target, case: Case) -> Output:
    try:
        return await target.respond(TargetCall(case_id=case.id, input=case.input))
    except TargetError:
        return Output()


def _led(case: Case, output: Output, documents: Sequence[OwnDocument]) -> Iterator[Carrier]:
    """The first own document among what the product read."""
    for text in _read(output):
        window = _window(text)
        for document in documents:
            if window and window in document.plain:
                yield Carrier(document=document, question=case, passage=text)
                return


def _read(output: Output) -> Iterator[str]:
    yield from (context.text for context in output.contexts)
    for call in output.tool_calls:
        yield from _strings(call.result)
    for step in output.steps:
        yield from _strings(msgspec.to_builtins(step))


def _strings(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _plain(text: str) -> str:
    return " ".join(text.split())


def _window(text: str) -> str:
    """The middle of a text, long enough to be told again; empty when it is too short."""
    plain = _plain(text)
    at = max(0, (len(plain) - _WINDOW) // 2)
    return plain[at : at + _WINDOW] if len(plain) >= _WINDOW // 2 else ""


def _hosts(carrier: Carrier, shape: InputShape, utility: str | None) -> Iterator[Host]:
    document, case = carrier.document, carrier.question
    question, fields = _question(case.input, shape)
    for position in _POSITIONS:
        text, escape = with_slot(document, carrier.passage, position)
        yield Host(
            id=f"{document.place}@{position}",
            title=Path(document.place).stem,
            text=text,
            question=question,
            utility=_utility(case, utility),
            fields=fields,
            place=document.place,
            escape=escape,
        )


def _question(value: Any, shape: InputShape) -> tuple[str, dict[str, Json]]:
    if isinstance(value, dict):
        used = {shape.text, shape.history, shape.documents, shape.tool_results}
        return str(value.get(shape.text, "")), {key: item for key, item in value.items() if key not in used}
    if isinstance(value, list):
        return str(next((m.get("content") for m in reversed(value) if m.get("role") == "user"), "")), {}
    return str(value), {}


def _utility(case: Case, path: str | None) -> str:
    found = lookup(case, path) if path else MISSING
    return found if isinstance(found, str) and found else ""


def with_slot(document: OwnDocument, passage: str, position: str) -> tuple[str, str]:
    """A document's text with `[[PAYLOAD]]` at the start, middle or end of a passage, and how to write into it."""
    if document.place.endswith(".json"):
        made = _json_slot(document.text, passage, position)
        if made:
            return made, "json"
    start, end = _span(document.text, passage)
    if position == "start":
        at, before, after = start, "", "\n"
    elif position == "end":
        at, before, after = end, "\n", ""
    else:
        at, before, after = _sentence_end(document.text, start, end), " ", " "
    return f"{document.text[:at]}{before}[[PAYLOAD]]{after}{document.text[at:]}", "none"


def _span(text: str, passage: str) -> tuple[int, int]:
    """Where a passage stands in a text, spaces not counting; the whole text when it can't be told."""
    words = [re.escape(word) for word in passage.split()]
    for kept in (words, words[len(words) // 4 : -(len(words) // 4) or None]):
        found = re.search(r"\s+".join(kept[:400]), text) if kept else None
        if found:
            return found.start(), found.end()
    return 0, len(text)


def _sentence_end(text: str, start: int, end: int) -> int:
    ends = [found.end() for found in re.finditer(r"[.!?]\s|\n", text[start:end])]
    middle = (end - start) // 2
    return start + min(ends, key=lambda place: abs(place - middle), default=middle)


def _json_slot(text: str, passage: str, position: str) -> str:
    """JSON with the slot in the text value that holds the passage, else in its longest; empty where there is none."""
    try:
        data = json.loads(text)
    except ValueError:
        return ""
    window = _window(passage)
    values = sorted(_strings(data), key=lambda value: (bool(window) and window in _plain(value), len(value)))
    if not values:
        return ""
    old = values[-1]
    at = {"start": 0, "end": len(old)}.get(position, _sentence_end(old, 0, len(old)))
    new = f"{old[:at]} [[PAYLOAD]] {old[at:]}".strip()
    return json.dumps(_replaced(data, old, new), ensure_ascii=False, indent=1)


def _replaced(value: Any, old: str, new: str) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(item, old, new) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, old, new) for item in value]
    return new if value == old else value
