# ruff: noqa: E501  tables read best with one case to a line
from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalwright.core.errors import ConfigError
from evalwright.core.gate import Rule
from evalwright.core.run import Budget, CacheMode, RunSettings
from evalwright.core.suite import DatasetSpec, SliceSpec
from evalwright.suites import LoadedSuite, load_suite
from tests.unit.suites.vocab import VOCABULARY, Exact, HttpOptions, Words

FULL = """
suite: support-rag
version: 1.10
description: Answers of the help centre.
owner: team-support
tier: 1
runbook: docs/runbook.md
tags: [nightly, rag]

target: { type: http, url: "${SUPPORT_URL}/answer", api_key: "${SUPPORT_KEY}" }
dataset: { file: "${CASES}/cases.jsonl", format: jsonl, fields: { id: id, input: { question: q } }, public: [locale] }

slices:
  locale: input.locale
  long: { when: "length(input.question) > 800", min_n: 30 }

scorers:
  - exact
  - words: { values: [refund, order], mode: any, as: mentions, weight: 2, not: true, severity: high }
  - words: Hello
  - latency

run:
  trials: 3
  concurrency: 64
  workers: 2
  retries: 5
  timeout: 1m30s
  budget: 20 USD, 500 calls
  cache: on
  seed: 7
  limit: 400
  max_errors: 20%
  allowed_errors: 0.01
  strict: true
  level: 0.9
  tags: smoke
  filter: metadata.locale == "de"

gate:
  - { metric: exact, at_least: 90%, confidence: 0.99, slice: { locale: de }, min_n: 30 }
  - { metric: mentions, versus: baseline, max_drop: 0.02, severity: warn, name: mentions hold }
  - { metric: latency, at_most: 800ms, statistic: p95, slice: long }
  - { metric: overall, at_least: 0.5 }
"""
ENVIRONMENT = {"SUPPORT_URL": "http://127.0.0.1:1", "CASES": "data"}


@pytest.fixture
def full(load) -> LoadedSuite:
    return load(FULL, **ENVIRONMENT)


def test_the_head_of_a_suite(full):
    suite = full.suite
    assert (suite.name, suite.version, suite.owner, suite.tier) == ("support-rag", "1.10", "team-support", 1)
    assert (suite.runbook, suite.tags, suite.description) == (
        "docs/runbook.md",
        ("nightly", "rag"),
        "Answers of the help centre.",
    )
    assert (full.path, full.base_dir, full.warnings) == (Path("suite.yaml"), Path(), ())
    assert full.source.startswith("suite: support-rag\n")


def test_the_cases(full):
    assert full.dataset == DatasetSpec(
        file="data/cases.jsonl",
        format="jsonl",
        fields={"id": "id", "input": {"question": "q"}},
        public=("locale",),
        source="suite.yaml",
        line=10,
    )


@pytest.mark.parametrize(
    ("written", "spec"),
    [
        ("dataset: cases.csv", DatasetSpec(file="cases.csv", source="suite.yaml", line=2)),
        ("dataset: [{ input: a }]", DatasetSpec(cases=({"input": "a"},), source="suite.yaml", line=2)),
        ("dataset: { cases: [] }", DatasetSpec(source="suite.yaml", line=2)),
        (
            "dataset: { file: a, public: locale }",
            DatasetSpec(file="a", public=("locale",), source="suite.yaml", line=2),
        ),
    ],
)
def test_short_ways_to_name_the_cases(load, written, spec):
    assert load(f"suite: s\n{written}\n").dataset == spec


def test_the_settings(full):
    assert full.suite.settings == RunSettings(
        trials=3,
        concurrency=64,
        workers=2,
        retries=5,
        timeout_s=90,
        budget=Budget(cost=20, calls=500),
        cache=CacheMode.ON,
        seed=7,
        limit=400,
        max_errors=0.2,
        allowed_errors=0.01,
        strict=True,
        level=0.9,
        tags=("smoke",),
        filter='metadata.locale == "de"',
        public=("locale",),
    )


def test_what_is_not_written_is_the_default_of_the_core(load):
    assert load("suite: s\ndataset: []\n").suite.settings == RunSettings()


@pytest.mark.parametrize(("written", "mode"), [("off", CacheMode.OFF), ("read", CacheMode.READ), ("on", CacheMode.ON)])
def test_the_cache_is_off_on_or_read_never_a_truth_value(load, written, mode):
    assert load(f"suite: s\ndataset: []\nrun: {{ cache: {written} }}\n").suite.settings.cache is mode


def test_a_budget_may_be_a_mapping(load):
    text = "suite: s\ndataset: []\nrun: { budget: { cost: 1.5, minutes: 3, tokens: 10, calls: 4 } }\n"
    assert load(text).suite.settings.budget == Budget(cost=1.5, minutes=3, tokens=10, calls=4)


def test_the_slices(full):
    assert full.suite.slices == {
        "locale": SliceSpec(by="input.locale"),
        "long": SliceSpec(when="length(input.question) > 800", min_n=30),
    }


def test_the_scorers_with_the_keys_each_of_them_takes(full):
    exact, mentions, hello, latency = full.suite.scorers
    assert (exact.metric, exact.scorer, exact.weight, exact.negate) == ("exact", Exact(), None, False)
    assert (mentions.metric, mentions.weight, mentions.negate, mentions.severity) == ("mentions", 2, True, "high")
    assert mentions.scorer == Words(values=("refund", "order"), mode="any")
    assert (hello.metric, hello.scorer) == ("words", Words(values="Hello"))
    assert latency.info.unit == "s"


def test_a_scorers_own_option_wins_over_the_common_key_of_the_same_name(load):
    (own,) = load("suite: s\ndataset: []\nscorers: [{ words: { values: a, threshold: 0.8 } }]\n").suite.scorers
    assert (own.scorer.threshold, own.threshold) == (0.8, None)
    (common,) = load("suite: s\ndataset: []\nscorers: [{ exact: { threshold: 0.8 } }]\n").suite.scorers
    assert common.threshold == 0.8


def test_the_gate(full):
    exact, mentions, latency, overall = full.suite.gate
    assert exact == Rule(metric="exact", at_least=0.9, confidence=0.99, slice={"locale": "de"}, min_n=30, line=40)
    assert mentions == Rule(
        metric="mentions", versus="baseline", max_drop=0.02, severity="warn", name="mentions hold", line=41
    )
    assert latency == Rule(metric="latency", at_most=0.8, statistic="p95", slice={"long": True}, line=42)
    assert (overall.metric, overall.at_least) == ("overall", 0.5)


def test_a_gate_in_a_file_of_its_own(write):
    write("gate:\n  - { metric: exact, at_least: 0.5 }\n", "gate.yaml")
    text = "suite: s\ndataset: []\nscorers: [exact]\npolicy: gate.yaml\n"
    assert load_suite(write(text), VOCABULARY).suite.gate == (Rule(metric="exact", at_least=0.5, line=2),)


def test_parts_of_a_score_are_metrics_too(load):
    suite = load("suite: s\ndataset: []\nscorers: [exact]\ngate: [{ metric: exact.recall, at_least: 0.1 }]\n").suite
    assert suite.gate[0].metric == "exact.recall"


@pytest.mark.parametrize(
    ("written", "wanted"),
    [("long", {"long": True}), ("locale=de", {"locale": "de"}), ("{ locale: de, long: true }", {"locale": "de", "long": True}), ("{ locale: 1.0 }", {"locale": 1})],
)  # fmt: skip
def test_ways_to_name_a_slice_in_a_rule(load, written, wanted):
    text = f"""
        suite: s
        dataset: []
        scorers: [exact]
        slices: {{ locale: input.locale, long: {{ when: length(input) > 3 }} }}
        gate: [{{ metric: exact, at_least: 0.5, slice: {written} }}]
    """
    assert load(text).suite.gate[0].slice == wanted


def test_the_target_is_made_when_it_is_needed(full):
    assert full.target.type == "http"
    assert full.target.options == HttpOptions(url="${SUPPORT_URL}/answer", api_key="${SUPPORT_KEY}")
    assert full.target.build() == {"url": "http://127.0.0.1:1/answer", "base": Path()}


def test_making_the_target_tells_the_place_of_what_is_missing(load):
    loaded = load("suite: s\ndataset: []\ntarget:\n  type: http\n  url: ${NOWHERE}/x\n")
    with pytest.raises(ConfigError) as error:
        loaded.target.build()
    (problem,) = error.value.problems
    assert (problem.file, problem.line, problem.column) == ("suite.yaml", 5, 8)
    assert problem.message == "the environment variable `NOWHERE` is not set"


def test_a_suite_without_a_target_can_be_given_one_from_python(load):
    assert load("suite: s\ndataset: []\n").target is None


def test_what_a_reader_should_know_is_a_warning(load):
    loaded = load("suite: s\ntier: 1\ndataset: []\n")
    assert [(w.line, w.message) for w in loaded.warnings] == [
        (1, "the suite has no scorers: outputs are collected and not judged"),
        (2, "a tier 1 suite without owner and runbook and gate is incomplete"),
    ]


OWN = '''
from dataclasses import dataclass
from evalwright.core.score import Score
from evalwright.core.scorer import ScoreInfo, scorer
import helper


@scorer("polite", version="2")
def polite(ctx):
    """Says please."""
    return Score.of(helper.WORD in ctx.output.text)


@dataclass(frozen=True)
class Short:
    """Is short."""

    most: int = 10

    @property
    def info(self):
        return ScoreInfo(name="short")

    def score(self, ctx):
        return len(ctx.output.text) <= self.most

    def describe(self):
        return {"most": self.most}


def plain(ctx):
    return True
'''


@pytest.fixture
def own(write):
    write(OWN, "own.py")
    write("WORD = 'please'\n", "helper.py")


@pytest.mark.parametrize(
    "written",
    [
        "[{ file: own.py, use: [polite, Short] }]",
        '["own.py:polite", "own.py:Short"]',
        '[{ file: own.py, use: polite }, { "own.py:Short": { most: 10 } }]',
    ],
)
def test_scorers_of_your_own(own, load, written):
    suite = load(f"suite: s\ndataset: []\nscorers: {written}\ngate: [{{ metric: short, at_least: 0.1 }}]\n").suite
    assert [bound.metric for bound in suite.scorers] == ["polite", "short"]
    assert suite.scorers[1].scorer.most == 10


def test_options_and_common_keys_of_a_scorer_of_your_own(own, load):
    (bound,) = load(
        'suite: s\ndataset: []\nscorers: [{ "own.py:Short": { most: 3, as: terse, weight: 2 } }]\n'
    ).suite.scorers
    assert (bound.metric, bound.weight, bound.scorer.most) == ("terse", 2, 3)


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ('["own.py:polit"]', "`own.py` has no `polit`", "did you mean `polite`?"),
        ('["own.py:plain"]', "`own.py:plain` is no scorer", 'decorate a function with `@scorer("name")`'),
        ('["owm.py:polite"]', "there is no file `owm.py`", "did you mean `own.py`?"),
        (
            '[{ "own.py:Short": { mots: 3 } }]',
            "unknown key `mots` in the scorer `own.py:Short`",
            "did you mean `most`?",
        ),
        ('[{ "own.py:polite": { most: 3 } }]', "unknown key `most` in the scorer `own.py:polite`", "allowed: as, not"),
        ('["nowhere_module:polite"]', "there is no module `nowhere_module`", "a file is named with its ending"),
    ],
)
def test_what_can_be_wrong_with_a_scorer_of_your_own(own, load, written, message, hint):
    with pytest.raises(ConfigError) as error:
        load(f"suite: s\ndataset: []\nscorers: {written}\n")
    (problem,) = error.value.problems
    assert problem.message == message
    assert problem.hint.startswith(hint)
    assert problem.line == 3


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("x = 1\nraise ValueError('no\\nmore')\n", "importing `broken.py` failed at line 2 of broken.py: ValueError: no"),
        ("def f(:\n", "importing `broken.py` failed at line 1 of broken.py: SyntaxError: invalid syntax"),
        ("import nothing_of_that_name\n", "importing `broken.py` failed at line 1 of broken.py: ModuleNotFoundError: No module named 'nothing_of_that_name'"),
    ],
)  # fmt: skip
def test_a_file_that_can_not_be_imported_names_the_users_own_line(write, load, code, message):
    write(code, "broken.py")
    with pytest.raises(ConfigError) as error:
        load('suite: s\ndataset: []\nscorers: ["broken.py:x"]\n')
    assert error.value.problems[0].message == message


def test_a_changed_file_is_imported_again(write, load):
    text = 'suite: s\ndataset: []\nscorers: ["own.py:a"]\n'
    code = "from evalwright.core.scorer import scorer\n@scorer('a', version='{}')\ndef a(ctx): return True\n"
    write(code.format(1), "own.py")
    assert load(text).suite.scorers[0].info.version == "1"
    write(code.format(2), "own.py")
    assert load(text).suite.scorers[0].info.version == "2"


def test_paths_start_from_the_suite_file(tmp_path):
    folder = tmp_path / "deep"
    folder.mkdir()
    (folder / "r.yaml").write_text("x")
    (folder / "s.yaml").write_text("suite: s\ndataset: []\nscorers: [{ rubric: { rubric: r.yaml } }]\n")
    assert load_suite(folder / "s.yaml", VOCABULARY).suite.scorers[0].metric == "exact"


# fmt: off
KEYS = [
    "suite", "version", "tier", "tags", "target", "dataset", "slices", "scorers", "run", "gate", "policy", "type", "url",
    "file", "cases", "fields", "by", "when", "metric", "at_least", "slice", "exact", "words", "values", "budget", "x",
]
# fmt: on
keys = st.sampled_from(KEYS)
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-3, 100)
    | st.floats()
    | st.sampled_from(["exact", "a", "http", "0.5", "20 USD", "metadata.x", "metadata.x ==", "${X}", "own.py:a", ""])
)
values = st.recursive(leaves, lambda v: st.lists(v, max_size=3) | st.dictionaries(keys, v, max_size=4), max_leaves=10)


@given(st.dictionaries(keys, values, max_size=8))
@settings(max_examples=120, deadline=None)
def test_any_mapping_loads_or_is_a_config_error(tmp_path_factory, mapping):
    import yaml

    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(yaml.safe_dump({"suite": "s", "dataset": [], **mapping}), encoding="utf-8")
    try:
        loaded = load_suite(path, VOCABULARY, environment={})
    except ConfigError as error:
        found = error.problems
    else:
        found = ()
        assert isinstance(loaded.suite.name, str)
    assert all(problem.message and problem.line > 0 for problem in found)


def test_the_smallest_suites_of_the_documentation(write):
    from evalwright.services.vocabulary import vocabulary

    chat = textwrap.dedent("""
        suite: codes
        version: 1
        target: { type: chat, base_url: "http://127.0.0.1:8900/v1", model: mock-1, system: "You are a careful assistant." }
        dataset: { file: cases.jsonl, fields: { id: id, input: input, expected: target } }
        scorers: [exact]
        run: { concurrency: 256, cache: off }
    """)
    loaded = load_suite(write(chat), vocabulary(), environment={})
    assert loaded.suite.settings.concurrency == 256
    assert [bound.info.version for bound in loaded.suite.scorers] == ["1"]
    assert loaded.target.build().name
    recorded = textwrap.dedent("""
        suite: codes
        target: { type: recorded, file: outputs.jsonl, fields: { id: id, text: answer, contexts: passages } }
        dataset: cases.jsonl
        scorers: [exact]
    """)
    assert load_suite(write(recorded), vocabulary(), environment={}).target.options.file == "outputs.jsonl"


@given(
    st.integers(0, len(FULL) - 1),
    st.sampled_from(["", " ", "\n", ":", "[", "}", "'", "x", "0", "- ", "\t", "é"]),
    st.integers(0, 12),
)
@settings(max_examples=120, deadline=None)
def test_a_suite_with_a_slip_of_the_pen_loads_or_is_a_config_error(tmp_path_factory, start, put, gone):
    path = tmp_path_factory.getbasetemp() / "slip.yaml"
    path.write_text(FULL[:start] + put + FULL[start + gone :], encoding="utf-8")
    try:
        found = load_suite(path, VOCABULARY, environment=ENVIRONMENT).warnings
    except ConfigError as error:
        found = error.problems
    assert all(problem.message and problem.line > 0 for problem in found)
