"""How a document or a tool's result gets into a product: what every way can do."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from evalwright.core.case import Json


class Planter(Protocol):
    """Puts documents into a product for as long as one case is asked, and takes them out again.

    Attributes:
        shared: Whether every question would see what is planted, so that only one case may be asked at a time.
    """

    @property
    def shared(self) -> bool:
        """Whether only one case may be asked at a time."""
        ...

    def describe(self) -> dict[str, Json]:
        """How it is done, for the manifest; no secret."""
        ...

    async def open(self) -> None:
        """Make what is needed, e.g. the copy of a folder, before the product is opened."""

    async def close(self) -> None:
        """Remove it."""

    def planted(self, items: Sequence[dict[str, Any]]) -> AbstractAsyncContextManager[None]:
        """A context in which the items (`id`, `title`, `text`, perhaps `place`, `tenant`) are in the product.

        Raises:
            TargetError: They could not be put in.
        """
        ...
