"""Groundedness, context, completeness, citations and abstention: by hand and on labelled answers."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evalwright.core.component import BindContext
from evalwright.core.output import Output, Passage
from evalwright.scorers import (
    AbstentionCorrectness,
    AnswerRelevance,
    CitationPrecision,
    CitationRecall,
    CitationValidity,
    Completeness,
    ContextRecall,
    ContextRelevance,
    Groundedness,
    NoiseSensitivity,
)
from evalwright.scorers.rag.abstention import Abstention, abstention
from evalwright.scorers.rag.admission import admits
from evalwright.scorers.rag.claims import Kind, claims, statements
from evalwright.scorers.rag.support import names, negated, number_values, sources, support
from evalwright.scorers.rag.terms import content_terms, terms
from evalwright.scorers.similarity.embedders import EmbeddingModel
from tests.unit.scorers.support import context, judged, reference_rows

REFUND = "Refunds take five business days after the parcel arrives. Express parcels are not insured."
LIMIT = "The Basic plan allows 3 projects. The Pro plan of Helix allows 50 projects per workspace."


def answered(text: str, *contexts: str, citations: tuple[str, ...] = ()) -> Output:
    return Output(
        text=text, contexts=tuple(Passage(id=f"d{n}", text=c) for n, c in enumerate(contexts, 1)), citations=citations
    )


def test_claims_are_sentences_and_clauses_without_courtesies() -> None:
    text = (
        "Sure, happy to help! Refunds take five days [1], but cards may take ten days [2]; check your mail. "
        "I don't know about cheques. Anything else?"
    )
    found = claims(text)
    assert [(claim.kind, claim.text) for claim in found] == [
        (Kind.COURTESY, "Sure, happy to help!"),
        (Kind.STATEMENT, "Refunds take five days"),
        (Kind.STATEMENT, "cards may take ten days; check your mail."),
        (Kind.ABSTENTION, "I don't know about cheques."),
        (Kind.QUESTION, "Anything else?"),
    ]
    assert text[found[1].start : found[1].end] == "Refunds take five days [1]"
    assert statements("") == statements("…!") == []


def test_terms_survive_inflection_numerals_and_scripts() -> None:
    assert terms("Refunds") == terms("refund") == ["refund"]
    assert terms("five") == terms("5") == terms("fünf") == terms("cinq") == ["5"]
    assert terms("退款需要") == ["退", "退款", "款需", "需要"]
    assert content_terms("How long do the refunds take?") == ["how", "long", "refund", "take"]


def test_support_finds_the_place_and_the_conflicts() -> None:
    known = sources([LIMIT, REFUND])
    right = support("Refunds take 5 business days.", known)
    assert (right.value, right.conflicts, right.place.text) == (1.0, (), REFUND[:57])  # type: ignore[union-attr]
    assert support("Refunds take seven business days.", known).conflicts == ("number 7 is in no context",)
    insured = support("Express parcels are insured.", known)
    assert insured.conflicts == ("not negated, but the context is",)
    assert insured.contradicted
    assert "name Orion is in no context" in support("The Pro plan of Orion allows 50 projects.", known).conflicts
    assert support("Entirely unrelated nonsense", known).source is None
    assert support("x", []).value == 0.0


def test_parts_of_support() -> None:
    assert number_values("one of five, 12 % and 3/4") == {5.0, 12.0, 0.75}
    assert negated("It isn't so")
    assert negated("Das ist nicht so")
    assert not negated("It is so")
    assert names("We met Ada in Paris. Then I left") == ["Ada", "Paris"]
    assert names("Die Katze und der Hund sehen das Haus") == []


def test_groundedness_judges_claims() -> None:
    output = answered("Hello! Refunds take five business days. The moon is made of cheese.", LIMIT, REFUND)
    score = judged(Groundedness(measure="claims"), output)
    assert (score.value, score.passed, score.parts) == (0.5, False, {"claims": 0.5})
    assert score.reason == "1 of 2 claims supported"
    span = score.evidence[1]
    assert (span.where, span.index, span.text) == ("context", 1, REFUND[:57])
    assert LIMIT not in span.text
    assert REFUND[span.start : span.end] == span.text
    assert 0.5 < judged(Groundedness(), output).value < 1.0


def test_a_wrong_number_is_never_supported() -> None:
    claim = "Refunds take seven business days after the parcel arrives."
    assert judged(Groundedness(measure="claims"), answered(claim, REFUND)).value == 0.0


def test_groundedness_needs_claims_and_passages() -> None:
    assert judged(Groundedness(), answered("I don't know.", REFUND)).reason == "the answer claims nothing"
    assert judged(Groundedness(), "Refunds take five days.").reason == "the output shows no retrieved contexts"
    with_text = judged(Groundedness(context="metadata.page"), "Refunds take five days.", page=REFUND)
    assert with_text.value == pytest.approx(1.0)
    listed = judged(Groundedness(context="input.docs"), "Five days.", input={"docs": [{"text": REFUND}]})
    assert listed.value == 1.0
    assert judged(Groundedness(context="metadata.none"), "Five days.").status == "skipped"


def test_context_recall_and_completeness_look_for_facts() -> None:
    facts = ["Refunds take five business days", "The Pro plan allows 50 projects", "Cheques take a month"]
    output = answered("It takes 5 business days for refunds.", LIMIT, REFUND)
    assert judged(ContextRecall(), output, facts).value == pytest.approx(2 / 3)
    assert judged(ContextRecall(expected="facts"), output, {"facts": facts[:2]}).value == 1.0
    complete = judged(Completeness(), output, facts)
    assert complete.value == pytest.approx(1 / 3)
    assert [item.note for item in complete.evidence if item.where == "expected"] == ["found", "missing", "missing"]
    reference = "Refunds take five business days. The Pro plan allows 50 projects."
    assert judged(ContextRecall(), output, reference).value == 1.0
    assert judged(Completeness(), output).status == "skipped"
    assert judged(Completeness(), output, {"facts": facts}).status == "skipped"
    assert judged(Completeness(), output, [" "]).status == "skipped"
    assert judged(Completeness(), "", facts).value == 0.0


def test_relevance_to_the_question() -> None:
    question = "How many projects does the Pro plan allow?"
    good, bad = answered("50.", LIMIT), answered("Refunds take five days.", REFUND)
    assert judged(AnswerRelevance(), good, input=question).value == pytest.approx(4 / 6)
    fuller = judged(AnswerRelevance(), answered("It allows 50 projects.", LIMIT), input={"question": question})
    assert fuller.value == pytest.approx(4 / 6)
    assert judged(AnswerRelevance(), bad, input=question).value == 0.0
    assert judged(AnswerRelevance(), "I don't know.", input=question).status == "skipped"
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": "?"}]
    assert judged(ContextRelevance(), good, input=messages).value == pytest.approx(4 / 6)
    assert judged(ContextRelevance(), bad, input={"messages": messages}).value < 0.1
    assert judged(ContextRelevance(question="q"), good, input={"q": question}).status == "scored"
    assert judged(ContextRelevance(), good, input={"n": 1}).status == "skipped"


def test_noise_is_what_passages_say_and_nobody_asked_for() -> None:
    output = answered("Refunds take five business days. The Basic plan allows 3 projects.", LIMIT, REFUND)
    score = judged(NoiseSensitivity(), output, ["Refunds take five business days"])
    assert (score.value, score.passed) == (0.5, False)
    assert score.evidence[0].text == "The Basic plan allows 3 projects."
    assert NoiseSensitivity().info.higher_is_better is False


def test_citations_hold_or_not() -> None:
    text = "Refunds take five business days [d2]. The Basic plan allows 3 projects [d2][d9]. Express is fast."
    output = answered(text, LIMIT, REFUND)
    precision = judged(CitationPrecision(), output)
    assert precision.value == pytest.approx(1 / 3)
    assert [span.note for span in precision.evidence] == ["cites d2", "cites d9"]
    recall = judged(CitationRecall(), output)
    assert recall.value == pytest.approx(1 / 3)
    assert [span.note for span in recall.evidence] == ["cites d2, d9", "cites nothing"]
    validity = judged(CitationValidity(), output)
    assert (validity.value, validity.evidence[0].text) == (0.5, "d9")


def test_citations_may_stand_behind_the_full_stop_or_in_a_list() -> None:
    behind = answered("Refunds take five business days. [2] The Basic plan allows 3 projects. [1]", LIMIT, REFUND)
    assert judged(CitationPrecision(), behind).value == 1.0
    assert judged(CitationRecall(), behind).value == 1.0
    listed = answered("Refunds take five business days.", LIMIT, REFUND, citations=("d2", "d1"))
    assert judged(CitationPrecision(), listed).value == 0.5
    assert judged(CitationRecall(), listed).value == 1.0
    assert judged(CitationRecall(), answered("I don't know.", REFUND)).status == "skipped"
    assert judged(CitationPrecision(), answered("Refunds.", REFUND)).status == "skipped"
    assert judged(CitationValidity(), "Refunds [1].").status == "skipped"
    own = CitationPrecision(pattern=r"\((d\d)\)")
    assert judged(own, answered("Refunds take five business days (d2).", LIMIT, REFUND)).value == 1.0


ADMISSIONS = (
    "I'm sorry, but I don't know.", "I do not have enough information to answer.", "I’m not sure about that.",
    "The articles do not mention a phone number.", "There is no information about cheques in the documents.",
    "This can't be determined from the given text.", "Dazu liegen mir leider keine Angaben vor.",
    "Das weiß ich leider nicht.", "No tengo información sobre eso.", "Lo siento, no lo sé.", "Je ne sais pas.",
    "Aucune information n'est disponible.", "Non lo so.", "Não sei.", "Ik weet het niet.", "文档中没有提到这一点。",
    "わかりません。", "모르겠습니다.", "لا أعرف", "मुझे नहीं पता", "Не знаю.", "Bilmiyorum.", "Nie wiem.",
)  # fmt: skip
ANSWERS = (
    "There is no fee.", "It is not available in Europe.", "You do not need an account.", "I know that it is free.",
    "No, the plan has no limit.", "Das kostet nichts.", "No cuesta nada.", "We cannot ship batteries by air.",
)  # fmt: skip


@pytest.mark.parametrize("text", ADMISSIONS)
def test_admissions_are_heard(text: str) -> None:
    assert admits(text)
    assert abstention(text).kind is Abstention.FULL


@pytest.mark.parametrize("text", ANSWERS)
def test_answers_with_a_not_in_them_are_no_admissions(text: str) -> None:
    assert not admits(text)


def test_abstention_is_right_when_the_question_has_no_answer() -> None:
    scorer = AbstentionCorrectness()
    assert judged(scorer, "I don't know.", answerable=False).label == "abstained_rightly"
    assert judged(scorer, "Five days.", answerable=False).label == "answered_the_unanswerable"
    assert judged(scorer, "I don't know.", answerability=["ANSWERABLE"]).label == "abstained_needlessly"
    assert judged(scorer, "Five days.", {"answerable": "yes"}).value == 1.0
    assert judged(scorer, "", answerable=False).value == 0.0
    assert judged(scorer, "x", answerability="PARTIAL").status == "skipped"
    assert judged(scorer, "x").status == "skipped"
    mixed = "I don't know the price. The plan is called Pro."
    assert judged(scorer, mixed, answerable=False).value == 1.0
    assert judged(AbstentionCorrectness(lenient=False), mixed, answerable=False).value == 0.0
    late = "The plan is called Pro. I don't know the price."
    assert judged(scorer, late, answerable=False).value == 0.0
    marked = AbstentionCorrectness(expected="metadata.kind", unanswerable=("hopeless",), answerable=("fine",))
    assert judged(marked, "I don't know.", kind="hopeless").value == 1.0


def auc(values: list[float], labels: list[bool]) -> float:
    good = np.array([value for value, label in zip(values, labels, strict=True) if label])
    bad = np.array([value for value, label in zip(values, labels, strict=True) if not label])
    return float((good[:, None] > bad).mean() + (good[:, None] == bad).mean() / 2)


def spearman(first: list[float], second: list[float]) -> float:
    ranks = [
        np.array([np.mean(np.flatnonzero(np.sort(v) == x)) for x in v]) for v in (np.array(first), np.array(second))
    ]
    return float(np.corrcoef(*ranks)[0, 1])


def grounded(text: str, *contexts: str, **options: Any) -> float:
    score = judged(Groundedness(**options), answered(text, *contexts))
    return 0.0 if score.value is None else score.value


@pytest.mark.shared
def test_groundedness_tells_attributable_answers() -> None:
    rows = list(reference_rows("begin_wow/dev.jsonl.gz"))
    labels = [row["label"] == "Fully attributable" for row in rows]
    values = [grounded(row["response"], row["knowledge"]) for row in rows]
    assert auc(values, labels) >= 0.95
    by_model = {
        model: np.mean([value for value, row in zip(values, rows, strict=True) if row["model"] == model])
        for model in ("ctrl", "doha", "gpt2", "t5")
    }
    assert sorted(by_model, key=lambda model: -by_model[model]) == ["ctrl", "t5", "doha", "gpt2"]


@pytest.mark.shared
def test_groundedness_of_summaries_is_above_the_share_of_words() -> None:
    rows = list(reference_rows("unieval_meta/dev_qags_xsum.jsonl.gz"))
    human = [row["scores"]["consistency"] for row in rows]
    values = [grounded(row["system_output"], row["source"]) for row in rows]
    assert spearman(values, human) > 0.2686
    assert auc(values, [score == 1 for score in human]) > 0.6548


@pytest.mark.shared
def test_groundedness_follows_raters_of_retrieved_answers() -> None:
    tasks = {row["task_id"]: row for row in reference_rows("mtrag_human/dev_tasks.jsonl.gz")}
    human, values = [], []
    for row in reference_rows("mtrag_human/dev_evaluations.jsonl.gz"):
        if row["model"] != "reference":
            human.append(float(np.mean(list(row["human"]["faithfulness"].values()))))
            texts = [context["text"] for context in tasks[row["task_id"]]["contexts"]]
            values.append(judged(Groundedness(), answered(row["response"], *texts)).value)
    pairs = [(value, score) for value, score in zip(values, human, strict=True) if value is not None]
    assert len(pairs) >= 145
    assert spearman([value for value, _ in pairs], [score for _, score in pairs]) > 0.675


@pytest.mark.shared
def test_abstention_on_real_answers() -> None:
    tasks = {row["task_id"]: row for row in reference_rows("mtrag_human/dev_tasks.jsonl.gz")}
    labels: dict[str, int] = {}
    for row in reference_rows("mtrag_human/dev_evaluations.jsonl.gz"):
        score = judged(AbstentionCorrectness(), row["response"], answerability=tasks[row["task_id"]]["answerability"])
        if score.label:
            labels[score.label] = labels.get(score.label, 0) + 1
    # The three begin with "I do not have specific information …" or the like, two of them written by people.
    counted = {"answered": 210, "abstained_needlessly": 3, "abstained_rightly": 6, "answered_the_unanswerable": 3}
    assert labels == counted


@pytest.mark.shared
@pytest.mark.skipif(importlib.util.find_spec("wordllama") is None, reason="the extra model2vec is not installed")
async def test_local_embeddings_bring_groundedness_nearer_to_raters_of_free_answers() -> None:
    embedded = Groundedness(embeddings=EmbeddingModel("local")).bind(BindContext(base_dir=Path(), environment={}))
    tasks = {row["task_id"]: row for row in reference_rows("mtrag_human/dev_tasks.jsonl.gz")}
    human, words_alone, with_vectors = [], [], []
    for row in reference_rows("mtrag_human/dev_evaluations.jsonl.gz"):
        texts = [part["text"] for part in tasks[row["task_id"]]["contexts"]]
        plain = judged(Groundedness(), answered(row["response"], *texts)).value
        if row["model"] != "reference" and plain is not None:
            human.append(float(np.mean(list(row["human"]["faithfulness"].values()))))
            words_alone.append(plain)
            score = await embedded.score(context(answered(row["response"], *texts)))
            assert score.value is not None
            with_vectors.append(score.value)
    assert spearman(with_vectors, human) > spearman(words_alone, human) + 0.015


@pytest.mark.parametrize(
    ("claim", "passage", "conflict"),
    [
        ("Refunds take ten days.", "Refunds take five days. The shop has ten branches.", "10 day"),
        ("Prices rose by 8 percent.", "Prices fell by 8 percent.", "rose, where the context says fell"),
        ("参考书可以外借。", "参考书不能外借。", "negated"),
    ],
)
def test_other_numbers_contraries_and_negations_contradict(claim: str, passage: str, conflict: str) -> None:
    backing = support(claim, sources([passage]))
    assert backing.contradicted
    assert conflict in "; ".join(backing.conflicts)
    same = support(passage, sources([passage]))
    assert (same.value, same.conflicts) == (1.0, ())
