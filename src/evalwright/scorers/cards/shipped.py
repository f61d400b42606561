"""Reading and writing cards, and those that ship with the built-in scorers."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from evalwright.core.errors import UsageError
from evalwright.core.identity import short_hash
from evalwright.scorers.cards.record import ScorerCard

_FOLDER = "data"


def options_hash(scorer: Any) -> str:
    """Hash of a scorer's name, version and options."""
    return short_hash([scorer.info.name, scorer.info.version, scorer.describe()])


def shipped_names() -> list[str]:
    """Metrics of the built-in scorers that have a card."""
    folder = resources.files(__package__).joinpath(_FOLDER)
    return sorted(entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json"))


def shipped_card(metric: str) -> ScorerCard | None:
    """The card of a built-in scorer by its metric's name, None when it has none.

    Shipped cards are of default options; check with `is_current` before showing one beside a figure.
    """
    if metric not in shipped_names():
        return None
    content = resources.files(__package__).joinpath(_FOLDER, f"{metric}.json").read_bytes()
    return msgspec.json.decode(content, type=ScorerCard)


def is_current(card: ScorerCard, scorer: Any) -> bool:
    """Whether a card was measured with this version and these options."""
    return card.options_hash == options_hash(scorer)


def load_card(path: Path) -> ScorerCard:
    """Read a card.

    Raises:
        UsageError: The file can't be read or is no card.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=ScorerCard)
    except (OSError, msgspec.DecodeError) as error:
        raise UsageError(f"{path} can't be read as a scorer's card: {error}") from error


def save_card(card: ScorerCard, path: Path) -> None:
    """Write a card as indented JSON, the same bytes for the same card.

    Raises:
        OSError: The file can't be written.
    """
    path.write_bytes(msgspec.json.format(msgspec.json.encode(card), indent=2) + b"\n")
