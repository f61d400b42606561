"""Ways to rewrite a text: pure, composable, with an inverse where one exists. Standard library only.

`transform("base64")` is one, `transform("reverse+base64")` two in a row; `TRANSFORMS` has them all by name.
"""

from __future__ import annotations

from evalwright.core.errors import UsageError
from evalwright.packs.transforms.base import Transform, chain
from evalwright.packs.transforms.ciphers import CIPHERS
from evalwright.packs.transforms.codes import CODES
from evalwright.packs.transforms.glyphs import GLYPHS
from evalwright.packs.transforms.layout import LAYOUT

__all__ = ["NONE", "TRANSFORMS", "Transform", "transform"]

NONE = Transform(name="none", family="none", apply=str, invert=str)
"""The text as it is."""

TRANSFORMS: dict[str, Transform] = {item.name: item for item in (NONE, *CODES, *CIPHERS, *GLYPHS, *LAYOUT)}
"""Every transform by name."""


def transform(name: str) -> Transform:
    """A transform, or several joined by `+`, the first applied first.

    Raises:
        UsageError: There is no such transform.
    """
    missing = [part for part in name.split("+") if part not in TRANSFORMS]
    if missing:
        raise UsageError(f"there is no transform {missing[0]!r}", hint=f"there are: {', '.join(sorted(TRANSFORMS))}")
    return chain(tuple(TRANSFORMS[part] for part in name.split("+")))
