"""Retrieval measures against trec_eval's own outputs, hand-made rankings and a real retriever."""

from __future__ import annotations

import math
import random
import re
from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalwright.core.case import Case
from evalwright.core.output import Output, Passage
from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext
from evalwright.scorers import (
    Bpref,
    HitRate,
    MeanAveragePrecision,
    MeanReciprocalRank,
    Ndcg,
    PrecisionAtK,
    RecallAtK,
    RPrecision,
)
from evalwright.scorers.retrieval import ranking as measures
from tests.shared_data import shared_data
from tests.unit.scorers.support import expected_figures, judged, metric_cases, reference_rows

CUTS = (5, 10, 15, 20, 30, 100, 200, 500, 1000)
TREC: dict[str, Any] = {
    "map": MeanAveragePrecision(order="score"),
    "Rprec": RPrecision(order="score"),
    "bpref": Bpref(order="score"),
    "recip_rank": MeanReciprocalRank(order="score"),
    "ndcg": Ndcg(order="score"),
    "set_P": PrecisionAtK(None, order="score"),
    "set_recall": RecallAtK(None, order="score"),
    **{f"P_{k}": PrecisionAtK(k, order="score") for k in CUTS},
    **{f"recall_{k}": RecallAtK(k, order="score") for k in CUTS},
    **{f"map_cut_{k}": MeanAveragePrecision(k, order="score") for k in CUTS},
    **{f"ndcg_cut_{k}": Ndcg(k, order="score") for k in CUTS},
    **{f"success_{k}": HitRate(k, order="score") for k in (1, 5, 10)},
}


def trec_qrels(name: str) -> dict[str, dict[str, float]]:
    grades: dict[str, dict[str, float]] = defaultdict(dict)
    for line in shared_data(f"data/trec_eval_reference/{name}").read_text().splitlines():
        topic, _, document, grade = line.split()
        grades[topic][document] = float(grade)
    return grades


def trec_results(name: str) -> dict[str, tuple[Passage, ...]]:
    found: dict[str, list[Passage]] = defaultdict(list)
    for line in shared_data(f"data/trec_eval_reference/{name}").read_text().splitlines():
        topic, _, document, _, score = line.split()[:5]
        found[topic].append(Passage(id=document, score=float(score)))
    return {topic: tuple(passages) for topic, passages in found.items()}


def trec_figures(name: str) -> dict[tuple[str, str], str]:
    lines = shared_data(f"data/trec_eval_reference/{name}").read_text().splitlines()
    return {(fields[0], fields[1]): fields[2] for fields in map(str.split, lines) if len(fields) == 3}


def topic_scores(scorer: Any, qrels: dict[str, Any], results: dict[str, tuple[Passage, ...]]) -> dict[str, Score]:
    return {
        topic: scorer.score(
            ScoreContext(
                case=Case(id=topic, input="q", expected=grades), output=Output(contexts=results.get(topic, ()))
            )
        )
        for topic, grades in qrels.items()
    }


RUNS = [
    ("out.test.aq", "qrels.test", "results.test", 1.0),
    ("out.test.aqc", "qrels.test", "results.trunc", 1.0),
    ("out.test.aql", "qrels.rel_level", "results.test", 2.0),
]


@pytest.mark.shared
@pytest.mark.parametrize(("figures", "qrels", "results", "level"), RUNS, ids=[run[0] for run in RUNS])
@pytest.mark.parametrize("name", TREC)
def test_figures_equal_trec_eval_per_topic_and_in_the_mean(
    name: str, figures: str, qrels: str, results: str, level: float
) -> None:
    expected = trec_figures(figures)
    scorer = type(TREC[name])(**{**vars(TREC[name]), "min_grade": level})
    scores = topic_scores(scorer, trec_qrels(qrels), trec_results(results))
    for topic, score in scores.items():
        assert f"{score.value:.4f}" == expected[name, topic], topic
    values = [score.value for score in scores.values()]
    assert f"{sum(values) / len(values):.4f}" == expected[name, "all"]


@pytest.mark.shared
def test_geometric_mean_equals_trec_eval() -> None:
    scorer = MeanAveragePrecision(order="score", geometric=True)
    scores = topic_scores(scorer, trec_qrels("qrels.test"), trec_results("results.test"))
    total = scorer.aggregate(np.sum([score.stats for score in scores.values()], axis=0))
    assert f"{float(total):.4f}" == trec_figures("out.test.a")["gm_map", "all"] == "0.1051"
    assert scorer.info.kind == "corpus"
    assert scorer.aggregate(np.zeros(2)) == 0.0


def retrieved(*ids: str) -> Output:
    return Output(contexts=tuple(Passage(id=id_) for id_ in ids))


def test_a_ranking_worked_by_hand() -> None:
    output, wanted = retrieved("x", "a", "y", "b"), ["a", "b", "c"]
    assert judged(RecallAtK(2), output, wanted).value == pytest.approx(1 / 3)
    assert judged(PrecisionAtK(2), output, wanted).value == 0.5
    assert judged(PrecisionAtK(10), output, wanted).value == 0.2
    assert judged(HitRate(1), output, wanted).value == 0.0
    assert judged(HitRate(2), output, wanted).passed is True
    assert judged(MeanReciprocalRank(), output, wanted).value == 0.5
    assert judged(MeanAveragePrecision(), output, wanted).value == pytest.approx((1 / 2 + 2 / 4) / 3)
    assert judged(RPrecision(), output, wanted).value == pytest.approx(1 / 3)
    gain = (1 / math.log2(3) + 1 / math.log2(5)) / (1 + 1 / math.log2(3) + 1 / 2)
    assert judged(Ndcg(), output, wanted).value == pytest.approx(gain)
    score = judged(RecallAtK(), output, wanted)
    assert score.reason == "2 of 3 relevant among 4 retrieved, first at rank 2"
    assert [span.text for span in score.evidence] == ["c"]


def test_grades() -> None:
    output = retrieved("low", "high")
    grades = {"high": 3, "low": 1, "none": 0}
    linear = (1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3))
    assert judged(Ndcg(), output, grades).value == pytest.approx(linear)
    assert judged(Ndcg(gain="exponential"), output, grades).value == pytest.approx(
        (1 + 7 / math.log2(3)) / (7 + 1 / math.log2(3))
    )
    assert judged(MeanReciprocalRank(min_grade=2), output, grades).value == 0.5
    assert judged(Bpref(), retrieved("none", "unjudged", "high"), grades).value == 0.0
    assert judged(Bpref(), retrieved("unjudged", "high", "none", "low"), grades).value == 0.5
    listed = [{"id": "high", "grade": 3}, {"id": "low", "relevance": 1}, {"id": "bare"}]
    assert judged(RecallAtK(1), retrieved("bare"), listed).value == pytest.approx(1 / 3)


def test_ties_are_broken_by_id_and_given_orders_kept() -> None:
    tied = Output(contexts=(Passage(id="a", score=1.0), Passage(id="b", score=1.0), Passage(id="c", score=0.5)))
    assert judged(MeanReciprocalRank(), tied, "a").value == 0.5
    assert judged(MeanReciprocalRank(order="given"), tied, "a").value == 1.0
    reranked = Output(contexts=(Passage(id="a", score=0.1), Passage(id="b", score=0.9)))
    assert judged(MeanReciprocalRank(), reranked, "a").value == 1.0
    assert judged(MeanReciprocalRank(order="score"), reranked, "a").value == 0.5
    odd = Output(contexts=(Passage(id="a", score=float("nan")), Passage(id="b")))
    assert judged(MeanReciprocalRank(order="score"), odd, "b").value == 1.0


def test_chunks_of_one_document_count_once() -> None:
    chunks = tuple(Passage(id=f"c{n}", metadata={"doc": doc}) for n, doc in enumerate(["x", "x", "a"]))
    output = Output(contexts=chunks)
    assert judged(MeanReciprocalRank(id="metadata.doc"), output, ["a"]).value == 0.5
    assert judged(PrecisionAtK(None, id="metadata.doc"), output, ["a"]).value == 0.5


def test_where_the_relevant_ids_stand() -> None:
    output = retrieved("a")
    assert judged(HitRate(expected="sources"), output, {"sources": ["a"], "answer": "x"}).value == 1.0
    assert judged(HitRate(expected="metadata.gold"), output, gold="a").value == 1.0
    assert judged(HitRate(), Output(text="x"), ["a"]).value == 0.0
    for wanted in (None, [], {"sources": ["a"]}, {"a": 0}, [{"grade": 1}]):
        assert judged(HitRate(), output, wanted).status == "skipped", wanted
    nameless = judged(HitRate(), Output(contexts=(Passage(text="x"),)), ["a"])
    assert nameless.reason == "the retrieved contexts have no `id`"


def test_names_tell_k() -> None:
    names = [scorer.info.name for scorer in (RecallAtK(5), RecallAtK(None), Ndcg(), Ndcg(10), MeanAveragePrecision(3))]
    assert names == ["recall_at_5", "recall", "ndcg", "ndcg_at_10", "map_at_3"]


@given(st.lists(st.sampled_from("abcdef"), max_size=8), st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 3)))
def test_measures_stay_in_range_and_love_relevant_documents_first(ids: list[str], grades: dict[str, int]) -> None:
    query = measures.ranking(ids, {key: float(value) for key, value in grades.items()})
    if not query.relevant:
        return
    best = measures.ranking(sorted(ids, key=lambda id_: -grades.get(id_, 0)), dict(grades.items()))
    for measure in (measures.recall, measures.hit, measures.reciprocal_rank, measures.average_precision, measures.ndcg):
        assert 0.0 <= measure(query) <= measure(best) + 1e-12 <= 1.0 + 2e-12
    assert 0.0 <= measures.bpref(query) <= 1.0
    assert 0.0 <= measures.r_precision(query) <= 1.0


@pytest.mark.shared
@pytest.mark.parametrize("name", ["recall_at_k", "mrr"])
def test_ranked_choices_of_the_reference_cases(name: str) -> None:
    for case in metric_cases(name):
        doc, answer = case["doc"], case["model_response"]
        scored = zip(doc["choices"], answer["logprobs"], strict=True)
        contexts = tuple(Passage(id=choice, score=value) for choice, value in scored)
        scorer: Any = HitRate(case["metric_params"].get("k"), order="score")  # lighteval's recall@k is a hit rate
        if name == "mrr":
            scorer = MeanReciprocalRank(order="score")
        places = doc["gold_index"] if isinstance(doc["gold_index"], list) else [doc["gold_index"]]
        value = judged(scorer, Output(contexts=contexts), [doc["choices"][place] for place in places]).value
        wanted = next(iter(case["expected_output"].values()))
        assert value == pytest.approx(wanted, abs=case["tolerance"]), case["name"]


def test_long_rankings_are_quick() -> None:
    ids = [f"d{n}" for n in range(20_000)]
    random.Random(1).shuffle(ids)
    grades = {f"d{n}": 1.0 for n in range(0, 20_000, 3)}
    assert 0.3 < measures.average_precision(measures.ranking(ids, grades)) < 0.4


def signs(text: str) -> list[str]:
    return [text[at : at + 2] for at in range(len(text) - 1)]


def latin(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


@pytest.mark.shared
@pytest.mark.parametrize(("language", "cut"), [("en", latin), ("es", latin), ("zh", signs)])
def test_a_real_retriever_in_three_languages(language: str, cut: Any) -> None:
    bm25s = pytest.importorskip("bm25s")
    documents = list(reference_rows(f"xquad/{language}_docs.jsonl.gz"))
    questions = list(reference_rows(f"xquad/{language}_questions.jsonl.gz"))
    vocabulary: dict[str, int] = {}
    tokens = [[vocabulary.setdefault(word, len(vocabulary)) for word in cut(row["text"])] for row in documents]
    index = bm25s.BM25(k1=0.9, b=0.4)
    index.index((tokens, vocabulary), show_progress=False)
    scorers = {
        "recall@1": RecallAtK(1),
        "recall@5": RecallAtK(5),
        "MRR@10": MeanReciprocalRank(10),
        "nDCG@10": Ndcg(10),
    }
    totals = dict.fromkeys(scorers, 0.0)
    for row in questions:
        scores = index.get_scores([word for word in cut(row["question"]) if word in vocabulary])
        best = np.argsort(-scores, kind="stable")[:10]
        output = Output(contexts=tuple(Passage(id=documents[at]["doc_id"], score=float(scores[at])) for at in best))
        for name, scorer in scorers.items():
            totals[name] += judged(scorer, output, row["doc_id"]).value or 0.0
    figures = {name: round(total / len(questions), 4) for name, total in totals.items()}
    assert figures == expected_figures("xquad")["languages"][language]["BM25 k1=.9 b=.4"]
