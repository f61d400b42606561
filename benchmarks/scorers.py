"""How many stored outputs each built-in scorer judges in a second.

    python benchmarks/scorers.py [--cases 2000] [--seconds 1.0] [--only NAME ...]
    python benchmarks/scorers.py --cases 100000 --whole --only exact groundedness ...

With `--whole` every output is judged once, instead of as many as there is time for.

Outputs are made up: answers of about sixty words with citations, three passages of about a hundred words (three in four
of them met before, as in a real corpus), two tool calls. One process, one thread; CPU time, loading not counted.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator
from itertools import cycle
from typing import Any

from pydantic import TypeAdapter, ValidationError

from evalwright.core.case import Case
from evalwright.core.output import Output, Passage, ToolCall, Usage
from evalwright.core.score import ScoreStatus
from evalwright.core.scorer import ScoreContext
from evalwright.scorers.catalog import SCORERS, load

WORDS = """
    refund order parcel plan account invoice customer project workspace limit export report user team password region
    the a of to in and is are not within after before every each may can must five ten days hours 3 20 12,5 Helix Berlin
"""
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "contains": [{"values": ["refund", "ten days"]}],
    "regex": [{"patterns": r"\b\d+ days\b"}],
    "json_schema": [{"schema": {"type": "object", "required": ["a"]}, "field": "data"}],
    "language": [{"languages": ["en"]}],
    "length": [{"max": 100}],
    "numeric": [{"expected": "number"}],
    "exact": [{"expected": "answer"}],
    "rouge": [{"variant": name, "expected": "answer"} for name in ("rouge1", "rouge2", "rougeL", "rougeLsum")],
    "chrf": [{"word_order": order, "expected": "answer"} for order in (0, 2)],
    "valid_format": [{"format": name} for name in ("json", "yaml", "xml", "html", "csv", "markdown", "python")],
    "tool_calls": [{"expected": "calls"}],
    "tool_policy": [{"forbidden": ["delete_*"]}],
    "goal_state": [{"expected": "state"}],
}
ANSWERED = (
    "bleu",
    "embedding_similarity",
    "ter",
    "edit_similarity",
    "token_f1",
    "completeness",
    "context_recall",
    "noise_sensitivity",
)
LABELS = ("accuracy", "balanced_accuracy", "cohen_kappa", "f1", "mcc", "precision", "recall")
AMOUNTS = ("bias", "mae", "r2", "rmse")
RETRIEVED = ("recall_at_k", "precision_at_k", "hit_rate", "mrr", "map", "ndcg", "bpref", "r_precision")
OPTIONS |= {name: [{"expected": "answer"}] for name in ANSWERED}
OPTIONS |= {name: [{"expected": "sources"}] for name in RETRIEVED}
OPTIONS |= {name: [{"expected": "label", "field": "data.label"}] for name in LABELS}
OPTIONS |= {name: [{"expected": "number", "field": "data.a"}] for name in AMOUNTS}
OPTIONS |= {name: [{"values": ["Helix", "ten days"]}] for name in ("remembers", "forgets")}
OPTIONS["canary_leak"] = [{"canaries": ["TULIP-9942-OMEGA"]}]
OPTIONS["trouble_free"] = [{}]


def sentence(rng: random.Random, words: int) -> str:
    return " ".join(rng.choices(WORDS.split(), k=words)).capitalize() + "."


def contexts(count: int) -> list[ScoreContext]:
    rng = random.Random(7)
    corpus = [" ".join(sentence(rng, 12) for _ in range(8)) for _ in range(max(3, 3 * count // 4))]
    return [context(rng, index, corpus) for index in range(count)]


def context(rng: random.Random, index: int, corpus: list[str]) -> ScoreContext:
    text = " ".join(f"{sentence(rng, 12)} [d{rng.randint(1, 3)}]" for _ in range(5))
    passages = tuple(
        Passage(id=f"d{n}", text=chosen, score=1.0 / n) for n, chosen in enumerate(rng.sample(corpus, 3), start=1)
    )
    output = Output(
        text=text, data={"a": 1, "b": [1, 2], "label": "refund"}, contexts=passages,
        usage=Usage(input_tokens=900, output_tokens=80),
        cost=0.001, latency_s=1.0, first_token_s=0.2, messages=({"role": "assistant", "content": text},),
        tool_calls=(
            ToolCall(name="look_up", arguments={"id": index}), ToolCall(name="pay", arguments={"n": 3}, error="x"),
        ),
    )  # fmt: skip
    expected = {
        "answer": " ".join(sentence(rng, 12) for _ in range(3)),
        "sources": ["d1", "d9"],
        "number": 5,
        "calls": [{"name": "look_up", "arguments": {"id": index}}, {"name": "pay", "arguments": {"n": {"$max": 5}}}],
        "state": {"a": 1},
        "label": rng.choice(["refund", "plan"]),
    }
    question = "How many days does a refund of an order take?"
    metadata = {"answerable": True, "should_refuse": False}
    case = Case(id=f"c{index}", input={"question": question}, expected=expected, metadata=metadata)
    return ScoreContext(case=case, output=output)


def speed(scorer: Any, rows: list[ScoreContext], seconds: float) -> tuple[float, int]:
    """Cases a second, and how many of the rows were scored rather than skipped."""
    usable = sum(scorer.score(row).status is ScoreStatus.SCORED for row in rows[:50])
    done, began, source = 0, time.process_time(), cycle(rows)
    while time.process_time() - began < seconds:
        for _ in range(20):
            scorer.score(next(source))
        done += 20
    return done / (time.process_time() - began), usable


def whole(scorer: Any, rows: list[ScoreContext]) -> tuple[float, int]:
    """Cases a second over every row once, and how many were scored rather than skipped."""
    began = time.process_time()
    usable = sum(scorer.score(row).status is ScoreStatus.SCORED for row in rows)
    return len(rows) / (time.process_time() - began), usable


def runs(only: list[str]) -> Iterator[tuple[str, Any]]:
    for name, place in SCORERS.items():
        if ".judge." in place or name == "exact_match" or (only and name not in only):
            continue
        adapter = TypeAdapter(load(place))
        for options in OPTIONS.get(name, [{}]):
            detail = options.get("variant") or options.get("format") or options.get("word_order")
            try:
                yield f"{name} {detail}" if detail else name, adapter.validate_python(options)
            except ValidationError:
                print(f"{name:28} needs options of its own")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--whole", action="store_true")
    options = parser.parse_args()
    rows = contexts(options.cases)
    print(f"{'scorer':28} {'cases/s':>10} {'100,000 in':>11}")
    for label, scorer in runs(options.only):
        rate, usable = whole(scorer, rows) if options.whole else speed(scorer, rows, options.seconds)
        note = "" if usable else "  (every row skipped)"
        print(f"{label:28} {rate:10,.0f} {100_000 / rate:9.1f} s{note}")


if __name__ == "__main__":
    main()
