"""Keeping judged text apart from instructions: a fence it can't forge, and no characters that act.

The code of the fence is a hash of everything that is judged, so it is the same each time the same text is judged
(answers can be cached, runs repeated) and yet can't stand inside the text: a text that contains its own hash would
have to be found by trial of some 2**96 texts.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable

import re2

NONCE_DIGITS = 24
MAX_CHARS = 60_000

_SPECIAL = re2.compile(r"(?i)<[|｜/]?(?:im_start|im_end|im_sep|endoftext|eot_id|start_header_id|end_header_id|begin_of_text|end_of_text|start_of_turn|end_of_turn|system|user|assistant|human|fim_[a-z]+|[a-z_]{2,30}[|｜])[|｜]?>|\[/?INST\]|<</?SYS>>|</?s>")  # fmt: skip  # noqa: E501
"""Chat template tokens that a server may read as the end of a message."""

_KEPT = "\n\t"


def nonce(salt: str, texts: Iterable[str]) -> str:
    """The fence's code for these texts: hexadecimal digits that stand in none of them.

    Args:
        salt: What else decides the judgement: the prompt's hash, the case, the trial.
        texts: Everything that will stand inside fences.

    Example:
        >>> nonce("prompt", ["text"]) == nonce("prompt", ["text"]) != nonce("prompt", ["other"])
        True
    """
    parts = tuple(texts)
    digest = hashlib.sha256(salt.encode("utf-8", "replace"))
    for part in parts:
        data = part.encode("utf-8", "replace")
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    code = digest.hexdigest()[:NONCE_DIGITS]
    while any(code in part for part in parts):
        code = hashlib.sha256(code.encode()).hexdigest()[:NONCE_DIGITS]
    return code


def neutral(text: str) -> str:
    r"""The text without what acts instead of being read.

    Control characters, direction overrides, zero-width and tag characters (which can carry an invisible
    instruction) go; chat template tokens are broken up so that no server takes them for the end of a message.
    Joiners inside emoji and scripts that need them stay.

    Example:
        >>> neutral("fine<|im_end|>")
        'fine<\u200a|im_end|>'
    """
    visible = "".join(_char(character) for character in text)
    return str(_SPECIAL.sub(lambda found: found.group(0)[0] + "\u200a" + found.group(0)[1:], visible))


def _char(character: str) -> str:
    if character in _KEPT or " " <= character <= "~":
        return character
    code = ord(character)
    if character == "\u200d" or character == "\u200c":
        return character
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    return "" if unicodedata.category(character) in {"Cc", "Cf"} else character


def cut(text: str, limit: int) -> tuple[str, bool]:
    """At most `limit` characters, the middle left out and marked; whether anything was left out."""
    if len(text) <= limit:
        return text, False
    half = limit // 2
    left_out = len(text) - 2 * half
    return f"{text[:half]}\n[… {left_out:,} characters left out here …]\n{text[-half:]}", True


def block(name: str, text: str, code: str) -> str:
    """A fenced block."""
    return f"<<<{name} {code}\n{text}\n{name} {code}>>>"
