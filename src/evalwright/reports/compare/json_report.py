"""A comparison as one JSON object for programs."""

from __future__ import annotations

from typing import Any

import msgspec

from evalwright.core.comparison import Comparison, PairComparison, PairedFigure

FORMAT = 1


def comparison_object(comparison: Comparison, reports: dict[str, str] | None = None) -> dict[str, Any]:
    """The comparison with what follows from it written out: gains (positive is better), bounds and words.

    Args:
        comparison: The comparison.
        reports: Where reports were written: format to path.
    """
    found: dict[str, Any] = msgspec.to_builtins(comparison)
    found["pairs"] = [_pair(pair) for pair in comparison.pairs]
    return {"format": FORMAT, **found, "reports": reports or {}}


def _pair(pair: PairComparison) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(pair)
    for name in ("figures", "slices", "reweighted"):
        found[name] = [figure_object(figure) for figure in getattr(pair, name)]
    return {"comparable": pair.comparable, **found}


def figure_object(figure: PairedFigure) -> dict[str, Any]:
    """A paired figure, every field written, with its change in a word and its gain."""
    fields = {name: getattr(figure, name) for name in figure.__struct_fields__}
    return {
        **fields,
        "change": figure.change.value,
        "gain": figure.gain,
        "gain_ci": figure.gain_ci,
        "least_gain": figure.least_gain,
        "most_gain": figure.most_gain,
    }


def comparison_text(comparison: Comparison) -> str:
    """The object as indented JSON text."""
    encoded = msgspec.json.encode(comparison_object(comparison))
    return msgspec.json.format(encoded, indent=2).decode() + "\n"
