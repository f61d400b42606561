"""What cases can be filtered by in a page: statuses, metrics, slices and tags, with the number of failing cases."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

MAX_OPTIONS = 300
"""Options one filter offers at most: those with the most failing cases."""


class Facet(msgspec.Struct):
    """One thing to filter by: its token in the page, its name, how many cases have it and how many of these fail."""

    token: str
    label: str
    cases: int = 0
    failing: int = 0


class Facets:
    """Numbers facets in the order they are met; memory grows with the number of different facets, not of cases."""

    kinds = {"status": "v", "metric": "m", "slice": "s", "tag": "t"}

    def __init__(self) -> None:
        self._facets: dict[str, dict[str, Facet]] = {kind: {} for kind in self.kinds}

    def count(self, kind: str, label: str, *, failing: bool) -> str:
        """Count a case for a facet and return the facet's token, which is safe in any HTML attribute."""
        known = self._facets[kind]
        facet = known.get(label)
        if facet is None:
            facet = known[label] = Facet(token=f"{self.kinds[kind]}{len(known)}", label=label)
        facet.cases += 1
        facet.failing += failing
        return facet.token

    def failing(self, kind: str, label: str) -> int:
        """How many failing cases have this facet."""
        facet = self._facets[kind].get(label)
        return facet.failing if facet else 0

    def token(self, kind: str, label: str) -> str:
        """The facet's token, empty when no case has it."""
        facet = self._facets[kind].get(label)
        return facet.token if facet else ""

    def options(self, kind: str) -> list[Facet]:
        """The facets to offer, most failing cases first, then by name."""
        return sorted(self._facets[kind].values(), key=lambda facet: (-facet.failing, facet.label))[:MAX_OPTIONS]

    def left_off(self, kind: str) -> int:
        """How many facets `options` leaves off."""
        return max(0, len(self._facets[kind]) - MAX_OPTIONS)

    def __iter__(self) -> Iterator[str]:
        return iter(kind for kind, known in self._facets.items() if known)
