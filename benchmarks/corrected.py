"""How often the intervals of corrected figures cover the truth, beside the raw figure's, by simulation.

    python benchmarks/corrected.py [--repeats 1000]

A judge with known error rates marks answers whose truth is known; some of them, or as many others, have labels.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from evalwright.services.corrections import correct_binary, correct_by_rates, correct_graded
from evalwright.stats import Interval, mean_t, wilson
from evalwright.store.cards import LabelledVerdict

Draw = Callable[[np.random.Generator], tuple[Interval | None, Interval, float]]
"""A corrected and a raw interval, and the truth."""


class Scenario(NamedTuple):
    """One setting of the simulation."""

    name: str
    draw: Draw


class Coverage(NamedTuple):
    """What came out: shares of intervals that hold the truth, the mean width, draws without a correction."""

    name: str
    corrected: float
    raw: float
    width: float
    refused: int


def same_answers(n: int, labels: int, truth: float, sensitivity: float, specificity: float) -> Draw:
    """0/1 verdicts; labels of a random part of the same answers. The truth is that of the n answers."""

    def draw(rng: np.random.Generator) -> tuple[Interval | None, Interval, float]:
        good = rng.random(n) < truth
        said = np.where(good, rng.random(n) < sensitivity, rng.random(n) >= specificity)
        chosen = rng.choice(n, labels, replace=False)
        entries = [LabelledVerdict(id=str(i), truth_value=float(good[i]), said_value=float(said[i])) for i in chosen]
        made = correct_binary(entries, said.astype(float).tolist(), level=0.95)
        return made, wilson(int(said.sum()), n), truth

    return draw


def other_answers(n: int, labels: int, truth: float, sensitivity: float, specificity: float) -> Draw:
    """0/1 verdicts; a card of so many good and so many bad answers of another set."""

    def draw(rng: np.random.Generator) -> tuple[Interval | None, Interval, float]:
        hits, quiet = rng.binomial(labels, sensitivity), rng.binomial(labels, specificity)
        known = [(True, i < hits) for i in range(labels)] + [(False, i >= quiet) for i in range(labels)]
        entries = [LabelledVerdict(id=str(i), truth=good, said=said) for i, (good, said) in enumerate(known)]
        passed = int(rng.binomial(n, truth * sensitivity + (1 - truth) * (1 - specificity)))
        values = [1.0] * passed + [0.0] * (n - passed)
        return correct_by_rates(entries, values, level=0.95), wilson(passed, n), truth

    return draw


def graded(n: int, labels: int, kindness: float) -> Draw:
    """Grades 0, 0.5 and 1; a judge that is one level too kind so often."""

    def draw(rng: np.random.Generator) -> tuple[Interval | None, Interval, float]:
        truth = rng.choice([0.0, 0.5, 1.0], n, p=[0.3, 0.3, 0.4])
        said = np.minimum(1.0, truth + 0.5 * (rng.random(n) < kindness))
        chosen = rng.choice(n, labels, replace=False)
        entries = [LabelledVerdict(id=str(i), truth_value=truth[i], said_value=said[i]) for i in chosen]
        return correct_graded(entries, said.tolist(), level=0.95), mean_t(said), 0.55

    return draw


SCENARIOS = (
    Scenario("same answers, 50 labels of 1,000, judge .90/.75, truth .80", same_answers(1000, 50, 0.8, 0.9, 0.75)),
    Scenario("same answers, 100 labels of 1,000, judge .90/.75, truth .80", same_answers(1000, 100, 0.8, 0.9, 0.75)),
    Scenario("same answers, 100 labels of 1,000, judge .95/.60, truth .95", same_answers(1000, 100, 0.95, 0.95, 0.6)),
    Scenario("same answers, 100 labels of 300, judge .70/.65, truth .40", same_answers(300, 100, 0.4, 0.7, 0.65)),
    Scenario("other answers, 50 + 50 labels, judge .90/.75, truth .80", other_answers(1000, 50, 0.8, 0.9, 0.75)),
    Scenario("other answers, 100 + 100 labels, judge .90/.75, truth .80", other_answers(1000, 100, 0.8, 0.9, 0.75)),
    Scenario("other answers, 100 + 100 labels, judge .95/.60, truth .95", other_answers(1000, 100, 0.95, 0.95, 0.6)),
    Scenario("other answers, 100 + 100 labels, judge .65/.60, truth .50", other_answers(1000, 100, 0.5, 0.65, 0.6)),
    Scenario("graded, 60 labels of 1,000, too kind 1 time in 3", graded(1000, 60, 0.33)),
    Scenario("graded, 150 labels of 1,000, too kind 1 time in 3", graded(1000, 150, 0.33)),
)


def coverage(scenario: Scenario, repeats: int, seed: int = 17) -> Coverage:
    """Run one scenario so many times."""
    rng = np.random.default_rng(seed)
    hits = raw_hits = made = 0
    widths: list[float] = []
    for _ in range(repeats):
        corrected, raw, truth = scenario.draw(rng)
        raw_hits += raw.contains(truth)
        if corrected is None:
            continue
        made += 1
        hits += corrected.contains(truth)
        widths.append(corrected.width)
    return Coverage(scenario.name, hits / made, raw_hits / repeats, float(np.mean(widths)), repeats - made)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=1_000)
    options = parser.parse_args()
    print("| scenario | corrected covers | raw covers | mean width |\n| --- | --- | --- | --- |")
    for scenario in SCENARIOS:
        found = coverage(scenario, options.repeats)
        print(f"| {found.name} | {found.corrected:.3f} | {found.raw:.3f} | {found.width:.3f} |", flush=True)


if __name__ == "__main__":
    main()
