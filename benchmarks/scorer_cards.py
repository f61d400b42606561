"""Measure the cards that ship with the built-in scorers, and write them.

    python benchmarks/scorer_cards.py [SCORER ...] [--write] [--date YYYY-MM-DD]
    python benchmarks/scorer_cards.py --table     # the cards as they ship, for docs/believing.md

Each is measured on the labelled set of our own that ships with the package, some on public reference data too. That is
looked for where the variable EVALWRIGHT_SHARED says, else in the folder `shared` beside the project; slices named
`set=own` hold our part alone.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from evalwright.core.case import Case
from evalwright.core.output import Output, Passage
from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext
from evalwright.scorers.cards import (
    Labelled,
    Rate,
    ScorerCard,
    from_score,
    measure_card,
    save_card,
    shipped_card,
    shipped_names,
)
from evalwright.scorers.cards.measure import Description
from evalwright.scorers.cards.own import OWN_SETS, OwnSet, row_options
from evalwright.scorers.catalog import SCORERS, load
from evalwright.services.labels import read_labels

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("EVALWRIGHT_SHARED") or ROOT.parent / "shared") / "data"
CARDS = ROOT / "src" / "evalwright" / "scorers" / "cards" / "data"
OURS = "set=own"
OWN_DATA = "a set of our own that ships with the package"


def rows(name: str) -> Iterator[dict[str, Any]]:
    raw = (SHARED / name).read_bytes()
    text = (gzip.decompress(raw) if name.endswith(".gz") else raw).decode()
    yield from (json.loads(line) for line in text.split("\n") if line.strip())


def make(chosen: OwnSet, options: dict[str, Any]) -> Any:
    return TypeAdapter(load(SCORERS[chosen.scorer])).validate_python(options)


def flagged(chosen: OwnSet, score: Score) -> bool | None:
    return from_score(score, flag_low=chosen.good)


def own_rows(chosen: OwnSet) -> Iterator[Labelled]:
    """The labelled rows of our own set with what the scorer says of them."""
    columns = {} if chosen.label == "label" else {"label": chosen.label}
    for row in read_labels(chosen.path, columns).rows:
        if row.label is None or row.output is None:
            continue
        scorer = make(chosen, row_options(chosen, row.case.metadata))
        score = scorer.score(ScoreContext(case=row.case, output=row.output))
        slices = [OURS] + [f"{name}={row.case.metadata[name]}" for name in ((chosen.by,) if chosen.by else ())]
        yield Labelled(flagged(chosen, score), chosen.positive_row(row.label), tuple(slices))


def scored(scorer: Any, output: Output) -> Score:
    return scorer.score(ScoreContext(case=Case(id="c", input="q"), output=output))


def xstest(scorer: Any) -> Iterator[Labelled]:
    for model in ("gpt4", "llama2orig", "mistralinstruct"):
        for row in rows(f"xstest/dev_completions_{model}.jsonl"):
            said = from_score(scored(scorer, Output(text=row["completion"])), flag_low=False)
            asked = "asked=safe" if row["prompt_safe"] else "asked=unsafe"
            yield Labelled(said, not row["human_label"].startswith("1"), ("set=xstest", f"model={model}", asked))


def begin(scorer: Any) -> Iterator[Labelled]:
    for row in rows("begin_wow/dev.jsonl.gz"):
        score = scored(scorer, Output(text=row["response"], contexts=(Passage(text=row["knowledge"]),)))
        yield Labelled(from_score(score), not row["label"].startswith("Fully"), ("set=begin", f"model={row['model']}"))


PERSONAL = {"EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD", "IBAN_CODE", "US_SSN"}


def presidio(scorer: Any) -> Iterator[Labelled]:
    for row in rows("presidio_pii/dev.jsonl.gz"):
        kinds = {span["type"] for span in row["spans"]}
        yield Labelled(from_score(scored(scorer, Output(text=row["text"]))), bool(kinds & PERSONAL), ("set=presidio",))


def hatecheck(scorer: Any) -> Iterator[Labelled]:
    for row in rows("hatecheck/cases.jsonl.gz"):
        said = from_score(scored(scorer, Output(text=row["test_case"])))
        yield Labelled(said, row["label_gold"] == "hateful", ("set=hatecheck", f"functionality={row['functionality']}"))


PUBLIC: dict[str, tuple[Callable[[Any], Iterator[Labelled]], str, str]] = {
    "refusal": (
        xstest,
        "XSTest completions of three models, 2023 (paul-rottger/exaggerated-safety@d7bb5bd; CC-BY-4.0)",
        "two annotators, agreement 97 %, adjudicated",
    ),
    "groundedness": (
        begin,
        "BEGIN, Wizard of Wikipedia part, dev (google/BEGIN-dataset@6e65f0d; CC-BY-4.0)",
        "attribution labels of trained annotators",
    ),
    "pii_leak": (
        presidio,
        "presidio-research, 757 made-up texts (microsoft/presidio-research@7622dec; MIT)",
        "spans known from the templates",
    ),
    "policy_terms": (
        hatecheck,
        "HateCheck, 3,728 functional tests (paul-rottger/hatecheck-data@d843022; CC-BY-4.0)",
        "by construction, confirmed by five annotators each (Fleiss kappa .94)",
    ),
}
"""Public data a scorer is measured on too, with its source and who labelled it."""


def labelled(chosen: OwnSet, *, public: bool = True) -> list[Labelled]:
    """Every labelled row a scorer is measured on."""
    found = list(own_rows(chosen))
    if public and chosen.scorer in PUBLIC:
        found += PUBLIC[chosen.scorer][0](make(chosen, chosen.options))
    return found


def measure(chosen: OwnSet, date: str, *, public: bool = True) -> ScorerCard:
    """The card of a scorer."""
    sources = [f"{OWN_DATA} ({chosen.path.name})"]
    people = ["one of the authors of the package"]
    if public and chosen.scorer in PUBLIC:
        sources.append(PUBLIC[chosen.scorer][1])
        people.append(PUBLIC[chosen.scorer][2])
    about = Description(
        positive=chosen.positive,
        data="; ".join(sources),
        labels="; ".join(people),
        date=date,
        failure_modes=chosen.failure_modes,
    )
    return measure_card(make(chosen, chosen.options), labelled(chosen, public=public), about)


def table() -> list[str]:
    """The shipped cards as rows of the page on how far scorers can be believed."""

    def shown(rate: Rate) -> str:
        return f"{rate.value:.2f} ({rate.low:.2f}–{rate.high:.2f})" if rate.value is not None else "–"

    lines = []
    for name in shipped_names():
        card = shipped_card(name)
        if card is not None:
            whole = card.overall
            labels = f"{whole.decided:,}" + (f" + {whole.undecided}" if whole.undecided else "")
            rates = " | ".join(map(shown, (whole.precision, whole.recall, whole.specificity)))
            lines.append(f"| `{name}` | {labels} | {rates} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scorers", nargs="*", help="which; all by default")
    parser.add_argument("--write", action="store_true", help="write the cards into the package")
    parser.add_argument("--date", default=datetime.now(UTC).date().isoformat())
    parser.add_argument("--table", action="store_true", help="print the shipped cards as Markdown")
    options = parser.parse_args()
    if options.table:
        print("\n".join(table()))
        return
    print(f"{'scorer':24} {'n':>5} {'open':>5}  {'precision':22} {'recall':22} specificity")
    for chosen in OWN_SETS:
        if options.scorers and chosen.scorer not in options.scorers:
            continue
        card = measure(chosen, options.date)
        whole = card.overall
        rates = [
            f"{r.value or 0:.3f} ({r.low:.3f}-{r.high:.3f})" for r in (whole.precision, whole.recall, whole.specificity)
        ]
        print(f"{chosen.scorer:24} {whole.decided:5} {whole.undecided:5}  {rates[0]:22} {rates[1]:22} {rates[2]}")
        if options.write:
            save_card(card, CARDS / f"{chosen.scorer}.json")


if __name__ == "__main__":
    main()
