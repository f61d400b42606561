"""What a transform is, and how several are put in a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

TextFunction = Callable[[str], str]


def unchanged(text: str) -> str:
    """The text itself."""
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Transform:
    """A way to rewrite a text, the same for the same text.

    Attributes:
        name: As packs and slices name it.
        family: `code`, `cipher`, `unicode`, `layout` or `split`.
        apply: The rewriting; defined for every text.
        invert: Undoes it: `invert(apply(text)) == canonical(text)`; None where that can't be done.
        canonical: What survives of a text, e.g. upper-case letters for Morse code; everything by default.
        hint: Name of the code in an instruction to read it; empty where a reader needs none.
    """

    name: str
    family: str
    apply: TextFunction
    invert: TextFunction | None = None
    canonical: TextFunction = unchanged
    hint: str = ""

    @property
    def lossless(self) -> bool:
        """Whether every text comes back as it was."""
        return self.invert is not None and self.canonical is unchanged


def chain(transforms: tuple[Transform, ...]) -> Transform:
    """Several transforms, the first applied first; inverse where each one has one and none loses anything.

    Example:
        >>> from evalwright.packs.transforms import transform
        >>> transform("reverse+base64").apply("abc")
        'Y2Jh'
    """
    if len(transforms) == 1:
        return transforms[0]
    return Transform(
        name="+".join(step.name for step in transforms) or "none",
        family=transforms[-1].family if transforms else "none",
        apply=_in_order([step.apply for step in transforms]),
        invert=_inverse(transforms),
        hint=", then ".join(step.hint for step in reversed(transforms) if step.hint),
    )


def _in_order(functions: list[TextFunction]) -> TextFunction:
    def run(text: str) -> str:
        for function in functions:
            text = function(text)
        return text

    return run


def _inverse(transforms: tuple[Transform, ...]) -> TextFunction | None:
    undo = [step.invert for step in reversed(transforms) if step.lossless and step.invert is not None]
    return _in_order(undo) if len(undo) == len(transforms) else None
