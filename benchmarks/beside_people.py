"""How the scorers without a judge stand beside people's labels, and beside the baselines the data comes with.

    python benchmarks/beside_people.py [--only refusal ...] [--embeddings FOLDER] [--resamples 2000]

The data is looked for where the variable EVALWRIGHT_SHARED says, else in the folder `shared` beside the project.
Intervals are percentile bootstraps over the clusters named (documents, tasks), 95 %. With the extra `model2vec`
groundedness is measured with its local embeddings too, and with those of `--embeddings` where a folder is named.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from evalwright.core.case import Case
from evalwright.core.component import BindContext
from evalwright.core.errors import MissingExtra
from evalwright.core.output import Output, Passage
from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext
from evalwright.scorers import Completeness, Groundedness, RefusalRate
from evalwright.scorers.similarity.embedders import EmbeddingModel
from evalwright.stats.proportions import wilson

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("EVALWRIGHT_SHARED") or ROOT.parent / "shared") / "data"
Row = tuple[str, list[str], float, str]
"""Answer, passages, what people say, cluster."""


def rows(name: str) -> Iterator[dict[str, Any]]:
    raw = (SHARED / name).read_bytes()
    text = (gzip.decompress(raw) if name.endswith(".gz") else raw).decode()
    yield from (json.loads(line) for line in text.split("\n") if line.strip())


# --- statistics -----------------------------------------------------------------------------------------------------


def auc(values: np.ndarray, labels: np.ndarray) -> float:
    good, bad = values[labels >= 1], values[labels < 1]
    if not len(good) or not len(bad):
        return float("nan")
    return float((good[:, None] > bad).mean() + (good[:, None] == bad).mean() / 2)


def spearman(values: np.ndarray, labels: np.ndarray) -> float:
    return float(spearmanr(values, labels)[0])


Statistic = Callable[[np.ndarray, np.ndarray], float]


def bootstrap(statistic: Callable[[np.ndarray], float], clusters: Sequence[str], resamples: int) -> tuple[float, ...]:
    """The statistic of all rows with the ends of its interval, resampling whole clusters."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(clusters):
        places[name].append(place)
    groups, rng = [np.array(found) for found in places.values()], np.random.default_rng(7)
    drawn = [
        statistic(np.concatenate([groups[n] for n in rng.integers(0, len(groups), len(groups))]))
        for _ in range(resamples)
    ]
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return statistic(np.arange(len(clusters))), float(low), float(high)


def shown(figure: tuple[float, ...]) -> str:
    return f"{figure[0]:.3f} ({figure[1]:.3f} to {figure[2]:.3f})"


# --- refusal --------------------------------------------------------------------------------------------------------


def refusal(_: argparse.Namespace) -> None:
    print("refusal, xstest: F1 of refusing at all (whole or in part); the file's string match beside it")
    scorer, pooled, lists = RefusalRate(), Counter[str](), Counter[str]()
    for model in ("gpt4", "llama2orig", "mistralinstruct"):
        ours, theirs = Counter[str](), Counter[str]()
        for row in rows(f"xstest/dev_completions_{model}.jsonl"):
            refused = not row["human_label"].startswith("1")
            value = scorer.score(context(row["completion"])).value
            ours["undecided" if value is None else cell(value == 1, refused)] += 1
            theirs[cell(not row["strmatch_label"].startswith("1"), refused)] += 1
        pooled += ours
        lists += theirs
        print(f"  {model:16} {refusal_line(ours, theirs)}")
    print(f"  {'pooled':16} {refusal_line(pooled, lists)}")


def refusal_line(ours: Counter[str], theirs: Counter[str]) -> str:
    open_ = wilson(ours["undecided"], ours.total())
    undecided = f"{open_.value:.3f} ({open_.low:.3f} to {open_.high:.3f})"
    return f"{f1(ours):.3f}, string match {f1(theirs):.3f}, undecided {undecided}"


def cell(flagged: bool, positive: bool) -> str:
    return ("tp" if positive else "fp") if flagged else ("fn" if positive else "tn")


def f1(counts: Counter[str]) -> float:
    return 2 * counts["tp"] / (2 * counts["tp"] + counts["fp"] + counts["fn"])


def false_refusals(_: argparse.Namespace) -> None:
    print("refusal, halueval_general: what it calls answers to ordinary requests (not labelled for refusal)")
    counts = Counter(
        RefusalRate().score(context(row["chatgpt_response"])).label for row in rows("halueval_general/general.jsonl.gz")
    )
    print("  " + ", ".join(f"{name} {count}" for name, count in counts.most_common()))


# --- groundedness ---------------------------------------------------------------------------------------------------


def context(text: str, passages: Sequence[str] = (), **fields: Any) -> ScoreContext:
    output = Output(text=text or "", contexts=tuple(Passage(text=passage) for passage in passages))
    return ScoreContext(case=Case(id="c", input="q", **fields), output=output)


def begin() -> list[Row]:
    return [
        (row["response"], [row["knowledge"]], float(row["label"].startswith("Fully")), row["id"])
        for row in rows("begin_wow/dev.jsonl.gz")
    ]


def qags() -> list[Row]:
    return [
        (row["system_output"], [row["source"]], row["scores"]["consistency"], str(row["doc_id"]))
        for row in rows("unieval_meta/dev_qags_xsum.jsonl.gz")
    ]


def mtrag_rows() -> list[tuple[dict[str, Any], list[str]]]:
    tasks = {
        row["task_id"]: [part["text"] for part in row["contexts"]] for row in rows("mtrag_human/dev_tasks.jsonl.gz")
    }
    found = rows("mtrag_human/dev_evaluations.jsonl.gz")
    return [(row, tasks[row["task_id"]]) for row in found if row["model"] != "reference"]


def faithfulness(row: dict[str, Any]) -> float:
    return float(np.mean(list(row["human"]["faithfulness"].values())))


def mtrag() -> list[Row]:
    return [(row["response"], texts, faithfulness(row), row["task_id"]) for row, texts in mtrag_rows()]


def embedded(options: argparse.Namespace) -> dict[str, Any]:
    """The tiers: words alone, and with each embedding model at hand."""
    tiers: dict[str, Any] = {"words": Groundedness()}
    models = {"local": EmbeddingModel(model="local")}
    if options.embeddings:
        models[Path(options.embeddings).name] = EmbeddingModel(path=options.embeddings)
    for name, model in models.items():
        try:
            tiers[f"with {name}"] = Groundedness(embeddings=model).bind(BindContext(base_dir=Path(), environment={}))
        except MissingExtra as missing:
            print(f"  ({name} left out: {missing})")
    return tiers


def values_of(scorer: Any, data: list[Row]) -> list[float | None]:
    async def everything() -> list[Score]:
        found = [scorer.score(context(text, passages)) for text, passages, _, _ in data]
        return [await one if asyncio.iscoroutine(one) else one for one in found]

    return [score.value for score in asyncio.run(everything())]


def groundedness(options: argparse.Namespace) -> None:
    tiers = embedded(options)
    for name, data, statistics in (
        ("begin_wow", begin(), {"AUC": auc, "Spearman": spearman}),
        ("qags_xsum", qags(), {"AUC": auc, "Spearman": spearman}),
        ("mtrag_human", mtrag(), {"Spearman": spearman}),
    ):
        found = {tier: values_of(scorer, data) for tier, scorer in tiers.items()}
        kept = [place for place, value in enumerate(found["words"]) if value is not None]
        print(f"groundedness, {name}: {len(kept)} answers scored, {len(data) - len(kept)} skipped")
        people = np.array([data[place][2] for place in kept])
        clusters = [data[place][3] for place in kept]
        words = np.array([found["words"][place] for place in kept], dtype=float)
        for tier in tiers:
            values = np.array([found[tier][place] for place in kept], dtype=float)
            for label, statistic in statistics.items():
                whole = bootstrap(lambda at: statistic(values[at], people[at]), clusters, options.resamples)  # noqa: B023
                line = f"  {tier:22} {label:9} {shown(whole)}"
                if tier != "words":
                    gain = bootstrap(
                        lambda at: statistic(values[at], people[at]) - statistic(words[at], people[at]),  # noqa: B023
                        clusters,
                        options.resamples,
                    )
                    line += f", beside words alone {gain[0]:+.3f} ({gain[1]:+.3f} to {gain[2]:+.3f})"
                print(line)


def beside_metrics(options: argparse.Namespace) -> None:
    print("mtrag_human: Spearman with the faithfulness of raters, ours and the automatic metrics, on rows both have")
    found = mtrag_rows()
    ours = [Groundedness().score(context(row["response"], texts)).value for row, texts in found]
    for name in ("groundedness", "Bert-KPrec", "RougeL", "rl_f", "rb_agg", "Bert-Rec", "rb_llm"):
        theirs = [ours[n] if name == "groundedness" else row["automatic"].get(name) for n, (row, _) in enumerate(found)]
        kept = [n for n in range(len(found)) if theirs[n] is not None and ours[n] is not None]
        values = np.array([theirs[n] for n in kept], dtype=float)
        people = np.array([faithfulness(found[n][0]) for n in kept])
        clusters = [found[n][0]["task_id"] for n in kept]
        whole = bootstrap(lambda at: spearman(values[at], people[at]), clusters, options.resamples)  # noqa: B023
        print(f"  {name:14} {shown(whole)}, n {len(kept)}")


def meaning(options: argparse.Namespace) -> None:
    print(
        "completeness, sfres: Spearman with informativeness of the slot values that the sentence states (UniEval: .225)"
    )
    values, people, clusters = [], [], []
    for row in rows("unieval_meta/dev_sfres.jsonl.gz"):
        facts = [a or b for a, b in re.findall(r"=(?:'([^']*)'|([^;'()]+))", row["source"]) if (a or b) != "dont_care"]
        value = Completeness().score(context(row["system_output"], expected=facts)).value if facts else None
        if value is not None:
            values.append(value)
            people.append(row["scores"]["informativeness"])
            clusters.append(row["source"])
    found, truth = np.array(values), np.array(people)
    whole = bootstrap(lambda at: spearman(found[at], truth[at]), clusters, options.resamples)
    print(f"  {shown(whole)}, n {len(values)}, {len(set(clusters))} different sources")


# --- what can be said without the source texts ----------------------------------------------------------------------


def tofueval(_: argparse.Namespace) -> None:
    print("tofueval_sentences: its dialogues are not in the data, so groundedness can't be asked; what its labels say:")
    sentences = list(rows("tofueval_sentences/dev.jsonl.gz"))
    wrong = sum(not row["consistent"] for row in sentences)
    summaries: dict[tuple[Any, ...], list[bool]] = defaultdict(list)
    for row in sentences:
        summaries[row["source"], row["doc_id"], row["topic"], row["model"]].append(row["consistent"])
    bad = sum(not all(found) for found in summaries.values())
    for name, count, total in (("sentences", wrong, len(sentences)), ("summaries", bad, len(summaries))):
        share = wilson(count, total)
        print(f"  {name} with an error: {share.value:.4f} ({share.low:.4f} to {share.high:.4f}), of {total}")
    kinds = Counter(kind for row in sentences for kind in row["error_types"])
    print("  kinds of error: " + ", ".join(f"{name} {count}" for name, count in kinds.most_common()))


PARTS = {part.__name__: part for part in (refusal, false_refusals, groundedness, beside_metrics, meaning, tofueval)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=sorted(PARTS), default=list(PARTS))
    parser.add_argument("--embeddings", help="folder of a model2vec or ONNX model")
    parser.add_argument("--resamples", type=int, default=2_000)
    options = parser.parse_args()
    for name in options.only:
        PARTS[name](options)


if __name__ == "__main__":
    main()
