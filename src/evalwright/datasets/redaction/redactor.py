"""Stand-ins for personal data: keyed, so that the same person stays the same person and nobody can guess who."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import Counter

import msgspec

from evalwright.core.case import Case, Json
from evalwright.detect import NAME_KINDS, Confidence, Detector, Finding

MIN_KEY = 16
MAX_LEFTOVERS = 1_000
_NUMBERS = frozenset({"phone", "card", "iban", "national_id"})
STAND_IN = re.compile(
    r"\[(?:EMAIL|PHONE|CARD|IBAN|NATIONAL_ID|IP|URL_CREDENTIALS|SECRET|PERSON|ADDRESS|PLACE)-[0-9A-F]{12}\]"
)
"""What a stand-in looks like."""


class Leftover(msgspec.Struct, frozen=True, kw_only=True):
    """Something that may be personal data and was left: a person should look.

    Attributes:
        place: Where: line and path, or the case's id and path.
        kind: What it may be.
        start: First character within the text.
        shown: The text with all but its ends hidden.
    """

    place: str
    kind: str
    start: int
    shown: str


class Report(msgspec.Struct, kw_only=True):
    """What was taken out and what was left.

    Attributes:
        texts: Texts looked at.
        characters: Characters looked at.
        changed: Texts that were changed.
        replaced: How many findings of each kind were replaced.
        distinct: How many different texts of each kind there were.
        leftovers: The first thousand findings that were left for a person.
        left: How many were left.
    """

    texts: int = 0
    characters: int = 0
    changed: int = 0
    replaced: dict[str, int] = {}
    distinct: dict[str, int] = {}
    leftovers: list[Leftover] = []
    left: int = 0


class Redactor:
    """Replaces what a detector finds in texts and in the texts of JSON values.

    A stand-in is `[KIND-…]` with twelve hex digits of HMAC-SHA256 over kind and text (numbers without spaces and
    dashes, addresses in small letters): the same text gets the same stand-in wherever the key is the same, and without
    the key nobody can try out names to see whose it is.

    Args:
        key: Secret of at least 16 bytes, kept apart from the data.
        detector: What to look for.
        keep: Whether to remember the originals, for `originals`.

    Raises:
        ValueError: The key is too short.

    Example:
        >>> redactor = Redactor(b"a key of sixteen bytes")
        >>> first, second = redactor.text("ann@acme.io wrote"), redactor.text("to ANN@acme.io")
        >>> first.split()[0] == second.split()[1]
        True
    """

    def __init__(self, key: bytes, detector: Detector | None = None, *, keep: bool = False) -> None:
        if len(key) < MIN_KEY:
            raise ValueError(f"the key has {len(key)} bytes; at least {MIN_KEY} are needed")
        self._key = key
        self._detector = detector or Detector()
        self._keep = keep
        self._replaced: Counter[str] = Counter()
        self._seen: dict[str, str] = {}
        self._report = Report()

    @property
    def report(self) -> Report:
        """What was done so far."""
        kinds = Counter(stand_in[1:-14].lower() for stand_in in self._seen)
        return msgspec.structs.replace(self._report, replaced=dict(self._replaced), distinct=dict(kinds))

    @property
    def originals(self) -> dict[str, str]:
        """The original of each stand-in; empty unless they were to be kept."""
        return dict(self._seen) if self._keep else {}

    def text(self, text: str, *, place: str = "") -> str:
        """A text with stand-ins; findings that are only possible are left and noted."""
        self._report.texts += 1
        self._report.characters += len(text)
        pieces: list[str] = []
        end = 0
        for finding in self._detector.find(text):
            if finding.confidence == Confidence.POSSIBLE:
                self._leave(finding, place)
                continue
            pieces += [text[end : finding.start], self._stand_in(finding)]
            end = finding.end
        if not pieces:
            return text
        self._report.changed += 1
        return "".join([*pieces, text[end:]])

    def value(self, value: Json, *, place: str = "") -> Json:
        """A JSON value with stand-ins in its texts and keys, and for numbers that are findings as texts."""
        if isinstance(value, str):
            return self.text(value, place=place)
        if isinstance(value, dict):
            return {
                self.text(key, place=place): self.value(item, place=f"{place}.{key}") for key, item in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self.value(item, place=f"{place}.{n}") for n, item in enumerate(value)]
        if isinstance(value, int) and not isinstance(value, bool) and len(str(value)) >= 12:
            found = self.text(str(value), place=place)
            return value if found == str(value) else found
        return value

    def case(self, case: Case) -> Case:
        """A case with stand-ins everywhere but in an id that holds nothing personal."""
        place = case.id
        return Case(
            id=self.text(case.id, place=place),
            input=self.value(case.input, place=f"{place}.input"),
            expected=self.value(case.expected, place=f"{place}.expected"),
            metadata=self.value(case.metadata, place=f"{place}.metadata"),
            cluster=None if case.cluster is None else self.text(case.cluster, place=f"{place}.cluster"),
            tags=tuple(self.text(tag, place=f"{place}.tags") for tag in case.tags),
        )

    def _stand_in(self, finding: Finding) -> str:
        plain = normal(finding)
        digest = hmac.new(self._key, f"{finding.kind}\0{plain}".encode("utf-8", "surrogatepass"), hashlib.sha256)
        stand_in = f"[{finding.kind.upper()}-{digest.hexdigest()[:12].upper()}]"
        self._replaced[finding.kind] += 1
        self._seen.setdefault(stand_in, finding.text if self._keep else "")
        return stand_in

    def _leave(self, finding: Finding, place: str) -> None:
        self._report.left += 1
        if len(self._report.leftovers) < MAX_LEFTOVERS:
            shown = finding.text[:1] + "…" + finding.text[-2:]
            self._report.leftovers.append(Leftover(place=place, kind=finding.kind, start=finding.start, shown=shown))


def normal(finding: Finding) -> str:
    """The text as it is compared: two ways of writing one number are one."""
    if finding.kind in _NUMBERS:
        return re.sub(r"[^0-9A-Za-z+]", "", finding.text).upper()
    if finding.kind in NAME_KINDS:
        return " ".join(finding.text.casefold().split())
    return finding.text.casefold() if finding.kind in ("email", "ip") else finding.text
