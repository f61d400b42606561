"""Exact, contains, regex, JSON Schema, length, language, citations, and what an answer took."""

from __future__ import annotations

import itertools
import json
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalwright.core.component import BindContext
from evalwright.core.errors import ConfigError
from evalwright.core.output import Output, Passage, Usage
from evalwright.scorers import (
    CitationFormat,
    CitationPresence,
    Contains,
    Cost,
    ExactMatch,
    FirstToken,
    Groundedness,
    JsonSchema,
    Language,
    Latency,
    Length,
    RefusalRate,
    Regex,
    Tokens,
    ValidSql,
)
from evalwright.scorers.base import OptionError
from evalwright.scorers.paths import MISSING, lookup
from evalwright.scorers.rules.language import base_language
from evalwright.scorers.text.sentences import sentences
from tests.unit.scorers.support import judged


def test_exact_forms() -> None:
    assert judged(ExactMatch(), " Paris\n", "Paris").passed is True
    assert judged(ExactMatch(strip=False), "Paris ", "Paris").passed is False
    assert judged(ExactMatch(), "paris", "Paris").value == 0.0
    assert judged(ExactMatch(ignore_case=True), "STRASSE", "straße").value == 1.0
    assert judged(ExactMatch(normalize=True), "The Eiffel-Tower!", "eiffeltower").value == 1.0
    assert judged(ExactMatch(), "Zoe\u0308", "Zo\u00eb").value == 1.0
    assert judged(ExactMatch(), "4", 4).value == 1.0
    assert judged(ExactMatch(), "true", True).value == 1.0


def test_exact_takes_any_of_a_list() -> None:
    assert judged(ExactMatch(), "b", ["a", "b"]).reason == "equals 'b'"
    assert judged(ExactMatch(), "c", ["a", "b"]).reason == "expected 'a' or 'b', got 'c'"
    assert judged(ExactMatch(), "", ["a"]).reason == "expected 'a', the answer is empty"
    assert judged(ExactMatch(), "c", []).status == "skipped"


def test_exact_compares_objects() -> None:
    wanted = {"city": "Paris", "n": [1, 2]}
    assert judged(ExactMatch(), Output(data={"n": [1, 2], "city": "Paris"}), wanted).value == 1.0
    assert judged(ExactMatch(), '{"n": [1, 2], "city": "Paris"}', wanted).value == 1.0
    assert judged(ExactMatch(), "Paris", wanted).value == 0.0
    assert judged(ExactMatch(), "[" * 100_000, wanted).value == 0.0
    assert judged(ExactMatch(expected="city"), "Paris", wanted).value == 1.0
    assert judged(ExactMatch(field="data.city", expected="city"), Output(data={"city": "Rome"}), wanted).value == 0.0
    assert judged(ExactMatch(field="data.city"), Output(), wanted).status == "skipped"


def test_contains_modes_and_places() -> None:
    assert judged(Contains("Hello"), "Hello, Ada").value == 1.0
    assert judged(Contains(("a", "b"), mode="any"), "xxb").value == 1.0
    assert judged(Contains(("a", "b")), "xxb").reason == "found 'b'; not found 'a'"
    assert judged(Contains("art", mode="none", whole_words=True), "party").value == 1.0
    assert judged(Contains(ignore_case=True), "GRÜSSE aus Köln", ["grüsse", "köln"]).value == 1.0
    score = judged(Contains("Ada"), "Hello, Ada")
    assert [(span.start, span.end, span.text) for span in score.evidence] == [(7, 10, "Ada")]


def test_contains_gives_no_place_in_a_text_that_had_to_be_normalised() -> None:
    score = judged(Contains("Zo\u00eb"), "Zoe\u0308")
    assert score.value == 1.0
    assert score.evidence[0].start is None


def test_contains_without_expectation_is_skipped() -> None:
    assert judged(Contains(), "x").status == "skipped"


def test_regex_modes() -> None:
    assert judged(Regex(r"\d{3}"), "call 911").value == 1.0
    assert judged(Regex((r"\d", "x"), mode="all"), "1").value == 0.0
    assert judged(Regex((r"\d", "x"), mode="none"), "y").value == 1.0
    assert judged(Regex(r"\d+", fullmatch=True), "12 3").value == 0.0
    assert judged(Regex("^b$", multiline=True, ignore_case=True), "a\nB").value == 1.0
    assert judged(Regex("a.b", dot_all=True), "a\nb").value == 1.0


def test_regex_groups_are_compared_with_what_is_expected() -> None:
    scorer = Regex(r"answer: (?P<letter>[A-E])", group="letter", ignore_case=True)
    assert judged(scorer, "Answer: A … no, answer: B", "b").value == 1.0
    assert judged(scorer, "Answer: A", ["B", "C"]).reason == "extracted 'A', expected 'B' or 'C'"
    assert judged(scorer, "no idea", "B").value == 0.0
    assert judged(scorer, "Answer: A").status == "skipped"
    with pytest.raises(OptionError, match="no group 2"):
        Regex("(a)", group=2)


def test_regex_says_what_the_engine_can_not_do(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OptionError, match="look-ahead and look-behind are not available"):
        Regex("(?<=a)b")
    with pytest.raises(OptionError, match="back-references are not available"):
        Regex(r"(a)\1")
    with pytest.raises(OptionError, match="RE2"):
        Regex("(")
    with pytest.raises(OptionError, match="empty"):
        Regex(())
    assert capfd.readouterr() == ("", "")


def test_regex_is_linear() -> None:
    assert judged(Regex("(a+)+$"), "a" * 100_000 + "!").value == 0.0


@pytest.mark.parametrize("scorer", [Regex("a+"), JsonSchema({"type": "object"}), CitationFormat(pattern=r"\((\d)\)")])
def test_scorers_travel_between_processes(scorer: object) -> None:
    judged(scorer, "aa")
    assert pickle.loads(pickle.dumps(scorer)) == scorer


SCHEMA = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string", "pattern": "^[A-Z]"}, "items": {"items": {"type": "integer"}}},
    "patternProperties": {"^x_": {"type": "number"}},
    "additionalProperties": False,
}


def test_json_schema_names_the_paths_that_fail() -> None:
    assert judged(JsonSchema(SCHEMA), '{"name": "Ada", "items": [1], "x_1": 2}').value == 1.0
    score = judged(JsonSchema(SCHEMA), '{"name": "ada", "items": [1, "b"], "y": 1, "x_2": ""}')
    assert score.value == 0.0
    notes = " ".join(span.note for span in score.evidence)
    assert "$.items[1]: 'b' is not of type 'integer'" in notes
    assert "$.name: 'ada' does not match '^[A-Z]'" in notes
    assert "additional properties are not allowed: 'y'" in notes
    assert "$.x_2" in notes


def test_json_schema_finds_the_json() -> None:
    fenced = 'Here you are:\n```json\n{"name": "A"}\n```\nDone.'
    assert judged(JsonSchema(SCHEMA), fenced).value == 1.0
    assert judged(JsonSchema(SCHEMA, fenced=False), fenced).value == 0.0
    assert judged(JsonSchema(SCHEMA), Output(data={"name": "A"})).value == 1.0
    assert judged(JsonSchema({"type": "integer"}, field="data.n"), Output(data={"n": 3})).value == 1.0
    assert judged(JsonSchema(), "[1, 2").value == 0.0
    assert judged(JsonSchema(), '{"a": NaN}').value == 0.0
    assert judged(JsonSchema(), "[" * 100_000).value == 0.0


def test_json_schema_reads_a_file_beside_the_suite(tmp_path: Path) -> None:
    (tmp_path / "answer.json").write_text(json.dumps(SCHEMA))
    scorer = JsonSchema(file="answer.json").bind(BindContext(base_dir=tmp_path))
    assert scorer.describe()["schema"] == SCHEMA
    assert judged(scorer, '{"name": "A"}').value == 1.0
    for name, content in {"absent": None, "broken": "{", "wrong": '{"type": 3}'}.items():
        if content is not None:
            (tmp_path / name).write_text(content)
        with pytest.raises(ConfigError, match=name):
            JsonSchema(file=name).bind(BindContext(base_dir=tmp_path))


def test_json_schema_refuses_what_it_can_not_do_safely() -> None:
    with pytest.raises(OptionError, match="not a JSON Schema"):
        JsonSchema({"type": "objekt"})
    with pytest.raises(OptionError, match="look-ahead"):
        JsonSchema({"pattern": "(?=a)"})
    with pytest.raises(OptionError, match="linear time"):
        JsonSchema({"patternProperties": {"a": {}}, "unevaluatedProperties": False})
    with pytest.raises(OptionError, match="not both"):
        JsonSchema({}, file="x")
    elsewhere = JsonSchema({"$ref": "http://127.0.0.1:9/schema.json"})
    assert judged(elsewhere, "{}").status == "error"


def test_length_limits_and_quantities() -> None:
    assert judged(Length(max=3), "one two three").value == 1.0
    assert judged(Length(min=4), "one two three").value == 0.0
    assert judged(Length(), "one two three").value == 3.0
    assert judged(Length("sentences"), "One. Two! Three?").value == 3.0
    assert judged(Length("lines"), "a\nb").value == 2.0
    assert judged(Length("tokens"), "abcdefgh").value == 2.0
    assert judged(Length("chars"), "äö").value == 2.0
    assert Length().info.unit == "words"
    assert Length(max=3).info.kind == "proportion"
    with pytest.raises(OptionError, match="over"):
        Length(min=4, max=3)


def test_language_from_option_or_case() -> None:
    german = "Die Rückerstattung dauert in der Regel fünf Werktage nach Eingang des Pakets."
    assert judged(Language("de"), german).value == 1.0
    assert judged(Language(("en", "fr")), german).value == 0.0
    assert judged(Language(), german, input={"locale": "de-AT"}).value == 1.0
    assert judged(Language(), german, language="en").value == 0.0
    assert judged(Language(expected="metadata.langs"), german, langs=["fr", "de"]).value == 1.0
    assert judged(Language("zh"), "退款通常需要五个工作日才能到账。").value == 1.0
    assert judged(Language(), german).status == "skipped"
    assert judged(Language("de"), "Ja.").status == "skipped"
    assert judged(Language("de"), "  ").value == 0.0
    assert [base_language(code) for code in ("pt_BR", "nb", "ZH-Hant")] == ["pt", "no", "zh"]


PASSAGES = (Passage(id="kb-1", text="x"), Passage(id="kb-2", text="y"))


def test_citation_presence() -> None:
    assert judged(CitationPresence(), "Five days [kb-1].").value == 1.0
    assert judged(CitationPresence(), Output(text="Five days.", citations=("kb-1",))).value == 1.0
    assert judged(CitationPresence(at_least=2), "Five days [1, 1].").value == 0.0
    assert judged(CitationPresence(at_least=2), "Five days [1; 2].").value == 1.0
    assert judged(CitationPresence(pattern=r"\(source (\d+)\)"), "Five days (source 3).").value == 1.0
    assert judged(CitationPresence(), "").value == 0.0


def test_citations_in_every_sentence() -> None:
    scorer = CitationPresence(every_sentence=True)
    assert judged(scorer, "Hello! It takes five days [1]. You must ask first. [2]").value == 1.0
    score = judged(scorer, "It takes five days [1]. You must ask first.")
    assert score.value == 0.0
    assert [span.text for span in score.evidence] == ["You must ask first."]


def test_citation_format() -> None:
    good, bad = "Five [kb-1], six [kb-2].", "Five [kb-1], six [kb-9]."
    assert judged(CitationFormat(), Output(text=good, contexts=PASSAGES)).value == 1.0
    score = judged(CitationFormat(), Output(text=bad, contexts=PASSAGES))
    assert (score.value, score.evidence[0].text) == (0.0, "kb-9")
    assert judged(CitationFormat(among="positions"), Output(text="Five [2].", contexts=PASSAGES)).value == 1.0
    assert judged(CitationFormat(among="any", id_pattern=r"kb-\d"), bad).value == 1.0
    assert judged(CitationFormat(among="any", id_pattern=r"kb-\d"), "See [1].").value == 0.0
    assert judged(CitationFormat(), Output(text="Five.", contexts=PASSAGES)).status == "skipped"
    assert judged(CitationFormat(), "Five [1].").status == "skipped"
    nameless = (Passage(text="x"), Passage(text="y"))
    assert judged(CitationFormat(), Output(text="Five [2].", contexts=nameless)).value == 1.0


def test_what_an_answer_took() -> None:
    usage = Usage(input_tokens=10, output_tokens=5, cached_tokens=2)
    output = Output(text="x", latency_s=1.5, first_token_s=0.25, cost=0.002, usage=usage)
    assert judged(Latency(), output).value == 1.5
    assert judged(FirstToken(), output).value == 0.25
    assert judged(Cost(), output).value == 0.002
    assert judged(Tokens(), output).value == 15.0
    assert judged(Tokens("input"), output).value == 10.0
    assert (Tokens("input").info.name, Tokens().info.name) == ("input_tokens", "tokens")
    assert Latency().info.higher_is_better is False
    for scorer in (Latency(), FirstToken(), Cost(), Tokens()):
        assert judged(scorer, "x").status == "skipped"


def test_paths() -> None:
    value = {"a": [{"b": 1}, {"b": 2}], "c.d": 3, "e": {"f": None}}
    assert lookup(value, "a.-1.b") == 2
    assert lookup(value, "c.d") == 3
    assert lookup(value, "e.f") is None
    for path in ("a.2.b", "a.x", "a.-", "a.٣", "e.f.g", "z", "a." + "9" * 5_000):
        assert lookup(value, path) is MISSING
    assert lookup(Output(text="x", contexts=PASSAGES), "contexts.0.id") == "kb-1"
    assert lookup(Output(text="x"), "__class__") is MISSING


SPLITS = {
    "Dr. Ada came at 3.30 p.m. on Monday. She left!": 2,
    "See Fig. 3 and e.g. this. Then stop.": 2,
    "再见。明天见！好吗？": 3,
    "- one item\n- two items\n\n1. third": 3,
    "Das kostet z.B. 3,50 €. Mehr nicht.": 2,
    "He asked “Why?” Then he left.": 2,
    "Wait... what? Yes": 2,
    "J. K. Rowling wrote it.": 1,
    "مرحبا؟ نعم.": 2,
    "": 0,
}


@pytest.mark.parametrize("text", SPLITS)
def test_sentences(text: str) -> None:
    assert len(sentences(text)) == SPLITS[text], sentences(text)


@given(st.text(alphabet="ab .!?\n。-1)(", max_size=100))
def test_sentences_lose_no_letter_and_keep_their_places(text: str) -> None:
    found = sentences(text)
    assert all(text[item.start : item.end] == item.text for item in found)
    assert sum(item.text.count("a") for item in found) == text.count("a")
    assert all(first.end <= second.start for first, second in itertools.pairwise(found))


def test_half_a_surrogate_pair_is_read_as_a_replacement_character() -> None:
    broken = Output(text="Refunds take \ud800 five days.", contexts=(Passage(text="Refunds \udfff take five days."),))
    assert judged(Groundedness(), broken).value == 1.0
    assert judged(RefusalRate(), "I can't help \ud800 with that.").value == 1.0
    assert judged(Regex(patterns="five"), broken).value == 1.0
    assert judged(ExactMatch(), "a\ud800", {"x": "\ud800"}).value == 0.0
    assert judged(ValidSql(), "SELECT '\ud800'").value == 1.0
