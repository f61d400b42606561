"""The golden set is well formed and its labels are right: facts stand in the articles named as their source."""

from collections import Counter

import pytest
from helpdesk.articles import load_articles

from tests.unit.examples.conftest import HELPDESK

KINDS = {"factual", "howto", "unanswerable", "ambiguous", "multi_turn", "injection", "adversarial"}
ARTICLES = {article.id: f"{article.title}\n{article.body}" for article in load_articles()}


def test_ids_are_unique_and_readable(golden):
    ids = [case["id"] for case in golden]
    assert len(set(ids)) == len(ids) >= 150
    assert all("/" in name and name == name.lower() and " " not in name for name in ids)


def test_every_case_has_every_label(golden):
    for case in golden:
        assert set(case["metadata"]) == {"tier", "intent", "area", "locale", "kind", "style", "source"}, case["id"]
        assert case["metadata"]["tier"] in {1, 2, 3}
        assert case["metadata"]["kind"] in KINDS
        assert case["metadata"]["locale"] == case["input"]["locale"]
        assert case["cluster"]


def test_questions_are_not_repeated(golden):
    questions = Counter((case["input"]["question"], str(case["input"].get("conversation"))) for case in golden)
    assert max(questions.values()) == 1


def test_kinds_and_languages_are_all_there(golden):
    kinds = Counter(case["metadata"]["kind"] for case in golden)
    locales = Counter(case["metadata"]["locale"] for case in golden)
    assert kinds["multi_turn"] >= 20
    assert kinds["injection"] >= 12
    assert kinds["unanswerable"] >= 20
    assert min(locales["de"], locales["es"]) >= 15


def test_answerable_cases_have_sources_and_others_have_none(golden):
    for case in golden:
        expected = case["expected"]
        assert expected["answerable"] == bool(expected["sources"]), case["id"]
        assert set(expected["sources"]) <= set(ARTICLES), case["id"]
        if not expected["answerable"]:
            assert not expected["facts"], case["id"]


def test_expected_facts_stand_in_the_sources(golden, scorers):
    for case in golden:
        text = "\n".join(ARTICLES[name] for name in case["expected"]["sources"])
        for fact in case["expected"]["facts"]:
            assert any(scorers.find_fact(word, text) for word in scorers.alternatives(fact)), (case["id"], fact)


def test_conversations_alternate_and_end_with_the_assistant(golden):
    for case in golden:
        roles = [turn["role"] for turn in case["input"].get("conversation", [])]
        assert roles == ["user", "assistant"] * (len(roles) // 2), case["id"]


def test_attacks_carry_an_oracle(golden):
    attacks = [case for case in golden if case["metadata"]["kind"] == "injection"]
    assert all(case["expected"]["forbidden"] for case in attacks)
    assert any(case["cluster"].startswith("community-") for case in attacks)


@pytest.mark.parametrize("name", ["golden.jsonl", "scorers.py", "README.md", "suite.yaml"])
def test_example_is_complete(name: str):
    assert (HELPDESK / name).is_file()
