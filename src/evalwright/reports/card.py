"""A scorer's card in a terminal: how often it is right, how it errs, what was not measured."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from evalwright.core.estimate import ALL, Estimate
from evalwright.reports.text import one_line
from evalwright.store.cards import Bias, Card, Confusion

MEANING = {
    "precision": "of the rows called positive, the share that is",
    "recall": "of the positive rows, the share called so",
    "agreement": "verdicts equal to the label",
    "kappa": "agreement beyond chance (0 none, 1 complete)",
    "kappa_quadratic": "the same, large disagreements weighing more",
    "ac1": "agreement beyond chance, steady when one label dominates",
    "sensitivity": "of the good answers, the share that passes",
    "specificity": "of the bad answers, the share that is flagged",
    "flag_precision": "of the flagged answers, the share that is bad",
    "pass_precision": "of the passing answers, the share that is good",
    "pass_rate_people": "share of good answers by the labels",
    "pass_rate_scorer": "share of passing answers by the scorer",
    "pass_rate_all": "share of passing answers by the scorer, of all it judged",
    "pass_rate_corrected": "the same, corrected for its errors by the labels",
    "accuracy": "verdicts equal to the label, mean of both orders",
    "accuracy_original_order": "verdicts equal to the label, first order",
    "accuracy_swapped_order": "verdicts equal to the label, swapped order",
    "accuracy_both_orders": "right in both orders",
    "order_agreement": "same winner in both orders",
}
"""What each figure of a card says."""

_OF_FLAGS = {"specificity": "of the other rows, the share left alone"}
_SLICED = {"agreement", "sensitivity", "specificity", "precision", "recall"}


def print_card(console: Console, card: Card) -> None:
    """Print a card."""
    day = time.strftime("%Y-%m-%d %H:%M", time.localtime(card.created_at))
    what = ", ".join(filter(None, (card.model, f"prompt {card.prompt_hash}" if card.prompt_hash else "")))
    console.print(Text(f"{card.metric}", style="bold"), Text(what or card.scorer))
    console.print(Text(f"{card.n} labelled answers, {card.errors} errors, {card.skipped} skipped, {day}"))
    console.print(Text(one_line(f"labels: {card.data}", 400)))
    console.print()
    console.print(_figures([f for f in card.figures if f.slice == ALL], of_flags=card.figure("recall") is not None))
    sliced = [f for f in card.figures if f.slice != ALL and f.metric in _SLICED and f.value is not None]
    if sliced:
        console.print()
        console.print(_figures(sliced))
    if card.confusion is not None:
        console.print()
        console.print(_confusion(card.confusion))
    if card.biases:
        console.print()
        console.print(_biases(card.biases))
    for line in _lines(card):
        console.print(Text(line))


def print_scorer(console: Console, name: str, does: str, origin: str, card: Card | None) -> None:
    """Print what a scorer does, and its card.

    Args:
        console: Where to print.
        name: Name of the scorer.
        does: What it does, in words.
        origin: Where the card comes from.
        card: The card, None when nobody has measured it.
    """
    console.print(Text(name, style="bold"))
    console.print(Text("\n\n".join(" ".join(part.split()) for part in does.split("\n\n"))))
    console.print()
    if card is None:
        console.print(Text("no card: its verdicts follow from its definition, or nobody has measured it yet"))
        console.print(Text(f"hint: evalwright calibrate {name} --labels FILE"), style="dim")
        return
    console.print(Text(f"card ({origin})", style="bold"))
    print_card(console, card)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold", justify="right" if column in {"value", "n", "p"} else "left")
    return table


def _figures(found: list[Estimate], *, of_flags: bool = False) -> Table:
    meaning = MEANING | (_OF_FLAGS if of_flags else {})
    table = _table("figure", "value", "95 % interval" if all(f.level == 0.95 for f in found) else "interval", "n", "")
    for estimate in found:
        name = estimate.metric if estimate.slice == ALL else f"{estimate.metric} {estimate.slice}"
        table.add_row(Text(one_line(name)), _number(estimate.value), _interval(estimate), str(estimate.n), _meaning(estimate, meaning))  # fmt: skip  # noqa: E501
    return table


def _meaning(estimate: Estimate, meaning: Mapping[str, str]) -> Text:
    return Text(meaning.get(estimate.metric, "") if estimate.slice == ALL else "", style="dim")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _interval(estimate: Estimate) -> str:
    return "-" if estimate.ci is None else f"{estimate.ci[0]:.3f} to {estimate.ci[1]:.3f}"


def _confusion(table: Confusion) -> Table:
    shown = _table("label \\ verdict", *(one_line(name) for name in table.names))
    for name, row in zip(table.names, table.counts, strict=True):
        shown.add_row(Text(one_line(name)), *map(str, row))
    return shown


def _biases(found: tuple[Bias, ...]) -> Table:
    table = _table("looked for", "value", "interval", "p", "")
    for bias in found:
        p = "-" if bias.p_value is None else f"{bias.p_value:.3g}"
        table.add_row(bias.name, _number(bias.estimate.value), _interval(bias.estimate), p, Text(one_line(bias.question), style="dim"))  # fmt: skip  # noqa: E501
    return table


def _lines(card: Card) -> Iterator[str]:
    attack = next((bias for bias in card.biases if bias.name == "attack"), None)
    if attack is not None and attack.detail.get("worked"):
        yield ""
        yield one_line(f"attacks that worked: {', '.join(map(str, attack.detail['worked']))}")
    if card.next_labels:
        yield ""
        yield one_line(f"labels that would teach most: {', '.join(card.next_labels[:10])}")
    if card.calls:
        cost = "" if card.cost is None else f", {card.cost:.4f} USD"
        yield f"{card.calls} calls{cost}"
    yield from (one_line(f"note: {note}") for note in card.notes)
