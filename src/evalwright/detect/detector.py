"""All detectors together: overlaps settled, allowed texts left alone."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Collection, Iterable, Iterator

from evalwright.detect import personal
from evalwright.detect.finding import Confidence, Finding
from evalwright.detect.names import NAME_KINDS, NameEngine, Names
from evalwright.detect.secrets import secrets

_DETECTORS: dict[str, Callable[[str], Iterator[Finding]]] = {
    "secret": secrets,
    "url_credentials": personal.url_credentials,
    "email": personal.emails,
    "iban": personal.ibans,
    "national_id": personal.national_ids,
    "card": personal.cards,
    "ip": personal.ips,
    "phone": personal.phones,
}
KINDS = tuple(_DETECTORS)
"""Kinds of findings, those that win where two overlap and are equally sure first."""

_RANK = {Confidence.SURE: 0, Confidence.LIKELY: 1, Confidence.POSSIBLE: 2}


class Detector:
    """Finds personal data and secrets.

    Args:
        kinds: Which kinds to look for; all by default.
        allow: Texts that are nobody's and stay: a public hotline, the company's own address. Case, and in numbers
            everything but digits, does not count.
        names: Finds names of people and addresses; None looks for none.

    Example:
        >>> [(f.kind, f.text) for f in Detector().find("Write to ann@corp.example.org or ann@acme.io")]
        [('email', 'ann@acme.io')]
    """

    def __init__(
        self, *, kinds: Collection[str] = KINDS, allow: Iterable[str] = (), names: NameEngine | None = None
    ) -> None:
        known = (*KINDS, *NAME_KINDS)
        unknown = sorted(set(kinds) - set(known))
        if unknown:
            raise ValueError(f"unknown kind {unknown[0]!r}; there are: {', '.join(known)}")
        self._detectors: list[Callable[[str], Iterator[Finding]]] = [_DETECTORS[k] for k in KINDS if k in kinds]
        self._detectors += [] if names is None else [Names(names)]
        self._order = {kind: n for n, kind in enumerate(known)}
        self._allowed = {form for text in allow for form in _forms(text)}

    def find(self, text: str) -> list[Finding]:
        """What is in a text, by place; findings don't overlap."""
        found = [item for detector in self._detectors for item in detector(text) if not self._is_allowed(item)]
        found.sort(key=lambda f: (_RANK[f.confidence], self._order[f.kind], f.start - f.end))
        kept: list[Finding] = []  # by place; none overlaps another, so its neighbours are all that need be looked at
        for item in found:
            at = bisect(kept, item.start, key=lambda f: f.start)
            free_before = at == 0 or kept[at - 1].end <= item.start
            if free_before and (at == len(kept) or item.end <= kept[at].start):
                kept.insert(at, item)
        return kept

    def _is_allowed(self, item: Finding) -> bool:
        return bool(self._allowed) and not self._allowed.isdisjoint(_forms(item.text))


def _forms(text: str) -> set[str]:
    digits = "".join(c for c in text if c.isdecimal())
    return {text.strip().casefold(), *([digits] if len(digits) >= 3 and len(digits) * 2 > len(text) else [])}
