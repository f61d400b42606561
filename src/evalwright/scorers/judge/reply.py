"""Reading a judge's reply: a verdict only where the judge itself gave exactly one, in the form it was asked for."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import msgspec
import re2

from evalwright.core.case import Json

MAX_REPLY = 200_000
MAX_OBJECTS = 50
MAX_RATIONALE = 4_000

_FENCE = re2.compile(r"(?s)```[A-Za-z0-9_-]*[ \t]*\r?\n?(.*?)```")
_THINKING = re2.compile(r"(?is)<(?:think|thinking|reasoning)>.*?</(?:think|thinking|reasoning)>")

Pick = Literal["last", "first", "only"]


class Unreadable(Exception):
    """The reply holds no verdict of the judge's own; the message says what it holds instead."""


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """What a judge said.

    Attributes:
        verdict: One of the choices it was given.
        rationale: Why, at most 4,000 characters.
        confidence: 0 to 1, None when it gave none.
    """

    verdict: str
    rationale: str = ""
    confidence: float | None = None


def schema_for(choices: Sequence[str]) -> dict[str, Json]:
    """JSON Schema of a reply: the reasoning first, so that the verdict follows from it."""
    properties: dict[str, Json] = {
        "rationale": {"type": "string", "description": "The reasons, in at most three sentences."},
        "verdict": {"type": "string", "enum": list(choices)},
        "confidence": {"type": "number", "description": "From 0 (a guess) to 1 (certain)."},
    }
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def read_ruling(text: str, choices: Sequence[str], *, quoted: Iterable[str] = ()) -> Ruling:
    r"""The verdict in a reply.

    A reply is one JSON object, alone, in a code block, or with words around it. An object that stands word for word
    in what was judged is a quotation and never a verdict; several objects that differ in their verdict are none.

    Args:
        text: The judge's reply.
        choices: Verdicts it may give.
        quoted: The judged texts.

    Raises:
        Unreadable: There is no verdict, one that is no choice, or several.

    Example:
        >>> read_ruling('```json\n{"verdict": "good", "confidence": 0.9}\n```', ["bad", "good"]).verdict
        'good'
    """
    own = str(_THINKING.sub("", text[:MAX_REPLY])).strip()
    if not own:
        raise Unreadable("the reply is empty")
    judged = tuple(quoted)
    found: list[Ruling] = []
    faults: list[str] = []
    for source, value in _objects(own):
        if any(source in other for other in judged):
            faults.append("the only verdict in it is quoted from what was judged")
            continue
        try:
            found.append(_ruling(value, choices))
        except Unreadable as fault:
            faults.append(str(fault))
    if not found:
        raise Unreadable(faults[0] if faults else "there is no JSON object in the reply")
    if len({ruling.verdict for ruling in found}) > 1:
        raise Unreadable("the reply gives several verdicts: " + ", ".join(ruling.verdict for ruling in found[:5]))
    return found[-1]


def read_stated(text: str, pattern: Any, choices: Sequence[str], *, pick: Pick = "last") -> Ruling:
    r"""The verdict a judge states in words, for replies in prose such as recorded ones.

    Args:
        text: The judge's reply.
        pattern: Compiled re2 pattern whose first group is the verdict.
        choices: Verdicts it may give; compared without regard to case.
        pick: Which statement counts when there are several: the `last`, the `first`, or `only` when all agree.

    Raises:
        Unreadable: It states none, one that is no choice, or with `only` several that differ.

    Example:
        >>> read_stated("Hence Output (b) is better.", re2.compile(r"Output \((a|b)\) is better"), ["a", "b"]).verdict
        'b'
    """
    word = stated(text, pattern, pick=pick)
    return Ruling(verdict=_choice(word, choices), rationale=text.strip()[:MAX_RATIONALE])


def stated(text: str, pattern: Any, *, pick: Pick = "last") -> str:
    """The word a reply in prose states as its verdict, whatever it is.

    Raises:
        Unreadable: It states none, or with `only` several that differ.
    """
    words = [found.group(1) for found in pattern.finditer(text[:MAX_REPLY]) if found.group(1)]
    if not words:
        raise Unreadable("the reply states no verdict")
    if pick == "only" and len({word.casefold() for word in words}) > 1:
        raise Unreadable("the reply states several verdicts: " + ", ".join(dict.fromkeys(words)))
    return str(words[0] if pick == "first" else words[-1])


def _objects(text: str) -> Iterator[tuple[str, dict[str, Json]]]:
    """JSON objects at the top level of a text, code blocks included, each with the words it stands as."""
    whole = _decoded(text)
    if isinstance(whole, dict):
        yield text, whole
        return
    for body in (found.group(1).strip() for found in _FENCE.finditer(text)):
        value = _decoded(body)
        if isinstance(value, dict):
            yield body, value
    yield from _embedded(str(_FENCE.sub(" ", text)))


def _embedded(text: str) -> Iterator[tuple[str, dict[str, Json]]]:
    decoder, position = json.JSONDecoder(), text.find("{")
    for _ in range(MAX_OBJECTS):
        if position < 0:
            return
        try:
            value, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            position = text.find("{", position + 1)
            continue
        if isinstance(value, dict):
            yield text[position:end], value
        position = text.find("{", end)


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _ruling(value: dict[str, Json], choices: Sequence[str]) -> Ruling:
    if "verdict" not in value:
        raise Unreadable("the object has no `verdict`")
    given = value["verdict"]
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise Unreadable(f"the `verdict` is {json.dumps(given)[:80]}, not one of {', '.join(choices)}")
    rationale = value.get("rationale")
    return Ruling(
        verdict=_choice(str(given), choices),
        rationale=rationale[:MAX_RATIONALE] if isinstance(rationale, str) else "",
        confidence=_confidence(value.get("confidence")),
    )


def _choice(given: str, choices: Sequence[str]) -> str:
    if given in choices:
        return given
    folded = given.strip().casefold()
    for choice in choices:
        if choice.casefold() == folded:
            return choice
    raise Unreadable(f"the verdict `{given[:80]}` is none of {', '.join(choices)}")


def _confidence(value: Json) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value) if 0.0 <= value <= 1.0 else None
