"""Cards: what is known of a scorer's own errors, measured against people's labels, kept in the workspace.

One JSON file a calibration: `cards/<metric>/<identity>-<time>.json`. The identity is a hash of everything that decides
the scorer's verdicts (for a judge: model, parameters, prompt, rubric), so a card never speaks for a changed judge.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import re2

from evalwright.core.case import Json
from evalwright.core.errors import StoreError
from evalwright.core.estimate import ALL, Estimate
from evalwright.store.files import disk_errors, write_atomic

FOLDER = "cards"
_UNSAFE = re2.compile(r"[^A-Za-z0-9_.\-]")


class LabelledVerdict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One labelled case with what the scorer said of it.

    Attributes:
        id: Id of the case.
        output_hash: Hash of the judged output, so that the label is used for this answer only.
        label: What people said: a level's name, `pass` or `fail`.
        verdict: What the scorer said; None when it gave no verdict.
        truth: Whether the row passes by the label; None when the label is no row verdict.
        said: Whether it passes by the scorer.
        truth_value: Value of the label's level, where the labels have values.
        said_value: Value of the score.
    """

    id: str
    output_hash: str = ""
    label: str = ""
    verdict: str | None = None
    truth: bool | None = None
    said: bool | None = None
    truth_value: float | None = None
    said_value: float | None = None


class Bias(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One systematic error looked for.

    Attributes:
        name: `position`, `length`, `format`, `self_preference`, `verbosity`, `repeat`, `attack`.
        question: What the figure says.
        estimate: The figure with its interval.
        p_value: Of the hypothesis that there is no such error, where there is a test.
        detail: Counts behind it.
    """

    name: str
    question: str
    estimate: Estimate
    p_value: float | None = None
    detail: dict[str, Json] = {}


class Confusion(msgspec.Struct, frozen=True, kw_only=True):
    """Labels against verdicts.

    Attributes:
        names: The levels.
        counts: People's label in rows, the scorer's verdict in columns.
    """

    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


class Card(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A scorer measured against labels.

    Attributes:
        metric: Name of the metric in its suite.
        scorer: The scorer's own name.
        version: The scorer's version.
        identity: Hash of what decides its verdicts: the `digest` of the scorer's record in a manifest.
        prompt_hash: Of a judge: identity of its prompt.
        model: Of a judge: the model asked.
        options: The scorer's options.
        data: File of the labels.
        data_digest: Content hash of the labels used.
        created_at: Seconds since the epoch.
        n: Labelled cases with a verdict.
        skipped: Labelled cases the scorer skipped.
        errors: Labelled cases it failed on.
        figures: Agreement, kappa, sensitivity, specificity, …, over all cases and by slice.
        confusion: Labels against verdicts.
        biases: Systematic errors looked for.
        next_labels: Ids of cases whose label would teach most.
        notes: What a reader must know.
        entries: The labelled cases, for corrected figures and for comparison with a later card.
        calls: Calls of models the calibration took.
        cost: Their cost, None when unknown.
    """

    metric: str
    identity: str
    scorer: str = ""
    version: str = "1"
    prompt_hash: str | None = None
    model: str | None = None
    options: dict[str, Json] = {}
    data: str = ""
    data_digest: str = ""
    created_at: float = 0.0
    n: int = 0
    skipped: int = 0
    errors: int = 0
    figures: tuple[Estimate, ...] = ()
    confusion: Confusion | None = None
    biases: tuple[Bias, ...] = ()
    next_labels: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    entries: tuple[LabelledVerdict, ...] = ()
    calls: int = 0
    cost: float | None = None

    def figure(self, name: str, *, slice: str = ALL) -> Estimate | None:
        """A figure by name, None when it could not be measured."""
        return next((f for f in self.figures if f.metric == name and f.slice == slice), None)


class CardStore:
    """The cards of a workspace.

    Args:
        root: The workspace's folder.
        folder: Where in it; checks of anchors have one of their own.
    """

    def __init__(self, root: Path, *, folder: str = FOLDER) -> None:
        self._folder = root / folder

    def save(self, card: Card) -> Path:
        """Keep a card; earlier ones of the same scorer stay.

        Raises:
            DiskFull: No space is left.
            StoreError: The folder can't be written.
        """
        folder = self._folder / _safe(card.metric)
        path = folder / f"{card.identity}-{int(card.created_at * 1000):013d}.json"
        with disk_errors(path):
            folder.mkdir(parents=True, exist_ok=True)
        write_atomic(path, msgspec.json.format(msgspec.json.encode(card), indent=1))
        return path

    def metrics(self) -> list[str]:
        """Folders there are cards in."""
        if not self._folder.is_dir():
            return []
        return sorted(path.name for path in self._folder.iterdir() if path.is_dir() and any(path.glob("*.json")))

    def cards(self, metric: str) -> Iterator[Card]:
        """A metric's cards, newest first.

        Raises:
            StoreError: One can't be read.
        """
        paths = sorted(self._folder.glob(f"{_safe(metric)}/*.json"), key=lambda path: path.stem.rpartition("-")[2])
        yield from map(_read, reversed(paths))

    def latest(self, metric: str) -> Card | None:
        """The newest card of a metric, of whichever scorer it was."""
        return next(self.cards(metric), None)

    def of(self, metric: str, identity: str) -> Card | None:
        """The newest card of exactly this scorer."""
        return next((card for card in self.cards(metric) if card.identity == identity), None)


def _safe(name: str) -> str:
    return str(_UNSAFE.sub("_", name)).lstrip(".") or "_"


def _read(path: Path) -> Card:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Card)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise StoreError(f"the card {path} can't be read: {error}", hint="delete it and calibrate again") from None
