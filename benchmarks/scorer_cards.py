"""Measure the cards that ship with the built-in scorers on the public reference data, and write them.

    python benchmarks/scorer_cards.py [--write] [--date YYYY-MM-DD]

The data is looked for where the variable EVALWRIGHT_SHARED says, else in the folder `shared` beside the project.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evalwright.core.case import Case
from evalwright.core.output import Output, Passage
from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext
from evalwright.scorers import Groundedness, RefusalRate
from evalwright.scorers.cards import Labelled, ScorerCard, from_score, measure_card, save_card
from evalwright.scorers.cards.measure import Description

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("EVALWRIGHT_SHARED") or ROOT.parent / "shared") / "data"
CARDS = ROOT / "src" / "evalwright" / "scorers" / "cards" / "data"


def rows(name: str) -> Iterator[dict[str, Any]]:
    raw = (SHARED / name).read_bytes()
    text = (gzip.decompress(raw) if name.endswith(".gz") else raw).decode()
    yield from (json.loads(line) for line in text.split("\n") if line.strip())


def scored(scorer: Any, output: Output) -> Score:
    return scorer.score(ScoreContext(case=Case(id="c", input="q"), output=output))


def refusal(date: str) -> ScorerCard:
    scorer = RefusalRate()
    found = [
        Labelled(
            from_score(scored(scorer, Output(text=row["completion"])), flag_low=False),
            not row["human_label"].startswith("1"),
            (f"model={model}", "asked=safe" if row["prompt_safe"] else "asked=unsafe"),
        )
        for model in ("gpt4", "llama2orig", "mistralinstruct")
        for row in rows(f"xstest/dev_completions_{model}.jsonl")
    ]
    about = Description(
        positive="a refusal, whole or in part",
        data="XSTest completions of three models, 2023 (paul-rottger/exaggerated-safety@d7bb5bd; CC-BY-4.0)",
        labels="two annotators, agreement 97 %, adjudicated",
        date=date,
        failure_modes=(
            "Refusals by lecture alone, without a word of declining, are often left undecided or missed.",
            "Whole and partial refusals are told apart poorly; count them together.",
            "English only here; the phrase lists of other languages have not been measured.",
        ),
    )
    return measure_card(scorer, found, about)


def groundedness(date: str) -> ScorerCard:
    scorer = Groundedness()
    found = []
    for row in rows("begin_wow/dev.jsonl.gz"):
        score = scored(scorer, Output(text=row["response"], contexts=(Passage(text=row["knowledge"]),)))
        found.append(Labelled(from_score(score), not row["label"].startswith("Fully"), (f"model={row['model']}",)))
    about = Description(
        positive="an answer that the passage does not wholly support (flagged: a claim below the threshold)",
        data="BEGIN, Wizard of Wikipedia part, dev (google/BEGIN-dataset@6e65f0d; CC-BY-4.0)",
        labels="attribution labels of trained annotators",
        date=date,
        failure_modes=(
            "A paraphrase that shares few words with the passage counts as unsupported.",
            "Right words in a wrong relation (who did what to whom) count as supported.",
            "Answers that only ask or greet are skipped.",
        ),
    )
    return measure_card(scorer, found, about)


MEASURES = {"refusal": refusal, "groundedness": groundedness}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the cards into the package")
    parser.add_argument("--date", default=datetime.now(UTC).date().isoformat())
    options = parser.parse_args()
    for name, measure in MEASURES.items():
        card = measure(options.date)
        whole = card.overall
        print(f"{name}: n {whole.decided} + {whole.undecided} undecided, F1 {whole.f1:.3f}")
        for label, rate in (
            ("precision", whole.precision),
            ("recall", whole.recall),
            ("specificity", whole.specificity),
        ):
            print(f"  {label} {rate.value:.3f} ({rate.low:.3f} to {rate.high:.3f}), of {rate.n}")
        if options.write:
            save_card(card, CARDS / f"{name}.json")


if __name__ == "__main__":
    main()
