# ruff: noqa: E501  a table reads best with one mistake to a line
"""Typical mistakes, and the exact messages they give."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalwright.core.errors import ConfigError
from evalwright.suites import load_suite, validate_suite
from tests.unit.suites.vocab import VOCABULARY

HEAD = "suite: s\ndataset: { cases: [] }\n"


def problems_of(write, text: str) -> list[tuple[str, str]]:
    with pytest.raises(ConfigError) as error:
        load_suite(write(text), VOCABULARY, environment={})
    return [(f"{p.line}:{p.column}", p.message) for p in error.value.problems]


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", "1:1", "the suite file is empty"),
        ("- a\n", "1:1", "the suite file is a list, not a mapping"),
        ("hello\n", "1:1", "the suite file is `hello`, not a mapping"),
        ("dataset: []\n", "1:1", "the suite needs the key `suite`"),
        ("suite: s\n", "1:1", "the suite needs the key `dataset`"),
        ("suite: 3\ndataset: []\n", "1:8", "`suite` must be a text, not `3`"),
        ('suite: ""\ndataset: []\n', "1:8", "`suite` must not be empty"),
        (HEAD + "ownr: me\n", "3:1", "unknown key `ownr` in the suite"),
        (HEAD + "tier: 4\n", "3:7", "`tier` must be at most 3, not `4`"),
        (HEAD + "tags: [a, 3]\n", "3:11", "an item of `tags` must be a text, not `3`"),
        (HEAD + "slices: [a]\n", "3:9", "`slices` must be a mapping, not a list"),
        (HEAD + "scorers: exact\n", "3:10", "`scorers` must be a list, not `exact`"),
        # dataset
        ("suite: s\ndataset: {}\n", "2:1", "the dataset has neither `file` nor `cases`"),
        ("suite: s\ndataset: { file: a, cases: [] }\n", "2:1", "the dataset has both `file` and `cases`"),
        ("suite: s\ndataset: 3\n", "2:10", "`dataset` must be a mapping, not `3`"),
        ("suite: s\ndataset: { fiel: a }\n", "2:12", "unknown key `fiel` in `dataset`"),
        ("suite: s\ndataset: { golden: t, file: x }\n", "2:1", "the dataset has both `file` and `golden`"),
        ("suite: s\ndataset: { file: a, format: xml }\n", "2:29", "`format` must be `jsonl`, `json`, `csv` or `parquet`, not `xml`"),
        ("suite: s\ndataset: { file: '${CASES}' }\n", "2:18", "the environment variable `CASES` is not set"),
        # target
        (HEAD + "target: http\n", "3:9", "the target is a mapping, not `http`"),
        (HEAD + "target: { url: x }\n", "3:9", "the target needs a `type`"),
        (HEAD + "target: { type: 3 }\n", "3:17", "`type` must be a text, not `3`"),
        (HEAD + "target: { type: htttp, url: x }\n", "3:17", "unknown target type `htttp`"),
        (HEAD + "target: { type: http }\n", "3:1", "the target `http` needs the key `url`"),
        (HEAD + "target: { type: http, url: 3 }\n", "3:28", "`url` must be a text, not `3`"),
        (HEAD + "target: { type: http, url: x, ulr: y }\n", "3:31", "unknown key `ulr` in the target `http`"),
        (HEAD + "target: { type: http, url: x, retry: { tims: 2 } }\n", "3:40", "unknown key `tims` in `retry` of the target `http`"),
        (HEAD + "target: { type: http, url: x, headers: { A: 1 } }\n", "3:45", "`A` must be a text, not `1`"),
        # slices
        (HEAD + "slices: { a: locale }\n", "3:14", "unknown name `locale` in `locale`"),
        (HEAD + "slices: { a: metadata.x = 1 }\n", "3:25", "not a valid expression: `=` is not expected here in `metadata.x = 1`"),
        (HEAD + "slices: { a: 3 }\n", "3:14", "a slice is an expression, or a mapping with `by` or `when`, not `3`"),
        (HEAD + "slices: { a: { by: id, when: id } }\n", "3:11", "the slice `a` needs exactly one of `by` and `when`"),
        (HEAD + "slices: { a: {} }\n", "3:11", "the slice `a` needs exactly one of `by` and `when`"),
        (HEAD + "slices: { a: { by: id, min: 3 } }\n", "3:24", "unknown key `min` in the slice `a`"),
        # scorers
        (HEAD + "scorers: [exakt]\n", "3:11", "unknown scorer `exakt`"),
        (HEAD + "scorers:\n  - exakt: {}\n", "4:5", "unknown scorer `exakt`"),
        (HEAD + "scorers: [3]\n", "3:11", "a scorer is a name or a mapping with one, not `3`"),
        (HEAD + "scorers:\n  - words:\n    mode: any\n", "5:5", "`mode` stands beside the scorer `words`"),
        (HEAD + "scorers:\n  - words: {}\n", "4:5", "the scorer `words` needs the key `values`"),
        (HEAD + "scorers:\n  - words: { values: a, mode: som }\n", "4:31", "`mode` must be `all`, `any` or `none`, not `som`"),
        (HEAD + "scorers:\n  - words: { values: a, least: 0 }\n", "4:32", "`least` must be at least 1, not `0`"),
        (HEAD + "scorers:\n  - words: { values: a, moed: all }\n", "4:25", "unknown key `moed` in the scorer `words`"),
        (HEAD + 'scorers:\n  - words: ""\n', "4:12", "`words`: `values` is empty"),
        (HEAD + "scorers:\n  - exact: { weight: -1 }\n", "4:22", "`weight` must be more than 0, not `-1`"),
        (HEAD + "scorers:\n  - exact: { severity: hihg }\n", "4:24", "`severity` must be `block`, `high`, `medium` or `low`, not `hihg`"),
        (HEAD + "scorers:\n  - latency: { unit: ms }\n", "4:16", "unknown key `unit` in the scorer `latency`"),
        (HEAD + "scorers:\n  - exact\n  - exact\n", "5:5", "two scorers make the metric `exact`"),
        (HEAD + "scorers:\n  - rubric: { rubric: r.yaml }\n", "4:23", "there is no rubric `r.yaml`"),
        (HEAD + "scorers: [scorers.py:polite]\n", "3:11", "there is no file `scorers.py`"),
        (HEAD + "scorers: [{ file: s.py, use: [] }]\n", "3:11", "`file` is a path and `use` a list of names"),
        (HEAD + "scorers: [{ file: s.py, use: a, weight: 2 }]\n", "3:33", "unknown key `weight` beside `file`"),
        # run
        (HEAD + "run: 3\n", "3:6", "`run` must be a mapping, not `3`"),
        (HEAD + "run: { trails: 3 }\n", "3:8", "unknown key `trails` in `run`"),
        (HEAD + "run: { trials: three }\n", "3:16", "`trials` must be a whole number, not `three`"),
        (HEAD + "run: { trials: 0 }\n", "3:16", "`trials` must be at least 1, not `0`"),
        (HEAD + "run: { timeout: fast }\n", "3:17", "`timeout`: `fast` is not a duration; write e.g. `30s`, `2m` or `500ms`"),
        (HEAD + "run: { timeout: 0 }\n", "3:17", "`timeout` must be more than 0, not `0`"),
        (HEAD + "run: { timeout: .inf }\n", "3:17", "`timeout`: inf is not a finite number"),
        (HEAD + "run: { cache: yes }\n", "3:15", "`cache` must be `off`, `read` or `on`, not `yes`"),
        (HEAD + "run: { strict: yes }\n", "3:16", "`strict` must be `true` or `false`, not `yes`"),
        (HEAD + "run: { budget: 20 EUR }\n", "3:16", "`budget`: `20 EUR` is not a budget; write e.g. `20 USD`, `2M tokens`, `500 calls` or `30 min`"),
        (HEAD + "run: { budget: { cost: 0 } }\n", "3:24", "`cost` must be more than 0, not `0`"),
        (HEAD + "run: { budget: { money: 1 } }\n", "3:18", "unknown key `money` in `budget` of `run`"),
        (HEAD + "run: { max_errors: 120% }\n", "3:20", "`max_errors`: a share is between 0 and 1, not 1.2"),
        (HEAD + "run: { level: .nan }\n", "3:15", "`level`: a share is between 0 and 1, not nan"),
        (HEAD + "run: { filter: tags = 1 }\n", "3:21", "not a valid expression: `=` is not expected here in `tags = 1`"),
        # gate
        (HEAD + "gate: { metric: exact }\n", "3:7", "the gate is a list of rules, not a mapping"),
        (HEAD + "gate: [exact]\n", "3:8", "a rule is a mapping, not `exact`"),
        (HEAD + "scorers: [exact]\ngate: [{ at_least: 1 }]\n", "4:8", "a rule of the gate needs the key `metric`"),
        (HEAD + "scorers: [exact]\ngate: [{ metric: exact }]\n", "4:8", "the rule on `exact` has no bound"),
        (HEAD + "scorers: [exact]\ngate: [{ metric: exact, at_least: 0.1, at_most: 0.2 }]\n", "4:8", "the rule on `exact` has 2 bounds: `at_least`, `at_most`"),
        (HEAD + "scorers: [exact]\ngate: [{ metric: exat, at_least: 0.1 }]\n", "4:18", "the suite has no metric `exat`"),
        (HEAD + "scorers: [exact]\ngate: [{ metric: overall, at_least: 0.1 }]\n", "4:18", "the suite has no metric `overall`"),
        (HEAD + "scorers: [exact]\ngate: [{ metric: exact, at_least: 90 }]\n", "4:35", "`exact` is always between 0 and 1, never 90"),
        (HEAD + "scorers: [exact]\ngate: [{ metric: exact, at_least: lots }]\n", "4:35", "`at_least`: `lots` is not a number; write e.g. `0.9`, `90%` or, for a metric in seconds, `2s`"),
        (HEAD + "scorers: [exact]\ngate: [{ metric: exact, at_least: 2s }]\n", "4:35", "`exact` is not measured in seconds"),
        (HEAD + "scorers: [exact]\ngate: [{ metric: exact, at_least: 1, confidence: 0.4 }]\n", "4:50", "`confidence` must be more than 0.5, not `0.4`"),
        (HEAD + "scorers: [exact]\ngate: [{ metric: exact, at_least: 1, slice: { lang: de } }]\n", "4:47", "the suite has no slice `lang`"),
        (HEAD + "scorers: [exact]\ngate: [{ metric: exact, at_least: 1, statistic: p95 }]\n", "4:49", "`exact` is a proportion and has no percentiles"),
        (HEAD + "scorers: [exact]\ngate: [{ metric: exact, at_least: 1, versus: baseline }]\n", "4:35", "`at_least` is no bound of a comparison with the baseline"),
        (HEAD + "scorers: [exact]\ngate: [{ metric: exact, max_drop: -0.1 }]\n", "4:35", "`max_drop` must be at least 0, not `-0.1`"),
        (HEAD + "policy: gate.yaml\n", "3:9", "there is no policy file `gate.yaml`"),
        (HEAD + "policy: gate.yaml\ngate: [{ metric: a, at_least: 1 }]\n", "3:1", "the suite has both `gate` and `policy`"),
        # secrets
        (HEAD + "target: { type: http, url: x, api_key: sk-abcdefgh12345678ijklmnop }\n", "3:40", "`api_key` looks like an OpenAI-style key; a suite file never holds one"),
        (HEAD + "description: Bearer abcdefgh12345678ijkl\n", "3:14", "`description` looks like a bearer token; a suite file never holds one"),
        ("suite: s\ndataset: { cases: [{ input: ghp_abcdefghijklmnopqrst12 }], public: [a] }\n", "2:29", "`input` looks like a GitHub token; a suite file never holds one"),
        ("suite: s\ndataset: { cases: [{ input: x }], fields: { id: ghp_abcdefghijklmnopqrst12 } }\n", "2:49", "`id` looks like a GitHub token; a suite file never holds one"),
        # YAML itself
        ("suite: s\nsuite: t\ndataset: []\n", "2:1", "the key `suite` is given twice"),
        ("suite: s\ndataset: [\n", "2:10", "not valid YAML: did not find expected node content while parsing a flow node"),
    ],
)  # fmt: skip
def test_one_mistake_one_message_at_its_place(write, text, place, message):
    assert problems_of(write, text) == [(place, message)]


MANY = """
suite: support
versio: 1
tier: 4
target: { type: htpp, url: x }
dataset: { flie: cases.jsonl }
slices:
  bad: locale == 3
scorers:
  - exakt
  - words: { values: a, moed: all }
run: { trials: 0, cache: of }
gate:
  - { metric: words, at_least: 0.9, slice: { lcale: de } }
  - { metric: words }
"""


def test_all_problems_are_told_at_once_in_the_order_of_the_file(write):
    assert [place for place, _ in problems_of(write, MANY)] == [
        "2:1",
        "3:7",
        "4:17",
        "5:12",
        "7:8",
        "9:5",
        "10:25",
        "11:16",
        "11:26",
        "13:46",
        "14:5",
    ]


def test_messages_look_like_those_of_a_compiler(write):
    write("")
    text = "suite: s\ndataset: []\nscorers:\n  - exakt\n"
    with pytest.raises(ConfigError) as error:
        load_suite(write(text), VOCABULARY, environment={})
    assert str(error.value) == (
        "error: unknown scorer `exakt`\n"
        "  --> suite.yaml:4:5 (scorers.0)\n"
        "hint: did you mean `exact`? `evalwright list scorers` shows all 4; your own is written `scorers.py:exakt`"
    )


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (HEAD + "tagz: []\n", "did you mean `tags`? allowed: dataset, description, gate, owner"),
        (HEAD + "target: { type: htttp, url: x }\n", "did you mean `http`? the types are http, python"),
        (HEAD + "run: { cache: of }\n", "did you mean `off`?"),
        (HEAD + "run: { strict: yes }\n", "in YAML 1.2 `yes` is a text; write `true`"),
        (HEAD + "suite: s\n", "it stands on line 1 already; keep one of them"),
        (HEAD + "scorers: [exact]\ngate: [{ metric: exat, at_least: 0.1 }]\n", "did you mean `exact`? its metrics: exact"),
        (HEAD + "scorers: [exact]\ngate: [{ metric: exact, at_least: 90 }]\n", "did you mean 0.9?"),
        (HEAD + "scorers:\n  - words:\n    mode: any\n", "options stand under the scorer's name: `- words: { mode: … }`"),
        (HEAD + "scorers:\n  - exact:\n    words:\n", "begin each scorer with a dash of its own"),
        (HEAD + "scorers:\n  - words: { values: a, moed: all }\n", "did you mean `mode`? allowed: as, least, mode, not, severity, threshold, values, weight"),
        (HEAD + "scorers:\n  - words: { values: a, least: x }\n", ""),
        (HEAD + "target: { type: http, url: x, api_key: sk-abcdefgh12345678ijklmnop }\n", "put it into an environment variable and write `${API_KEY}`"),
        ("suite: s\ndataset: [{ input: ghp_abcdefghijklmnopqrst12 }]\n", "if the case needs it, keep the cases in a file of their own"),
        (HEAD + "scorers: { exact: {} }\n", "begin each item with a dash"),
        ("suite: s\ndataset: { file: '${CASES}' }\n", "set it before the run: `export CASES=…`"),
        ("suite: s\ndataset: { golden: t, fields: { id: x } }\n", "cases of a golden set need no mapping"),
    ],
)  # fmt: skip
def test_hints_say_what_to_do(write, text, hint):
    with pytest.raises(ConfigError) as error:
        load_suite(write(text), VOCABULARY, environment={})
    assert error.value.problems[0].hint.startswith(hint)


def test_a_secret_never_stands_in_a_message(write):
    text = HEAD + "target: { type: http, url: 3, api_key: sk-abcdefgh12345678ijklmnop }\nscorers: [exakt]\n"
    with pytest.raises(ConfigError) as error:
        load_suite(write(text), VOCABULARY, environment={})
    assert "sk-abcdefgh" not in str(error.value)


def test_a_policy_file_has_places_of_its_own(write):
    write("- { metric: exact, at_least: 0.5 }\n- { metric: exat, at_least: 0.5 }\n", "gate.yaml")
    with pytest.raises(ConfigError) as error:
        load_suite(write(HEAD + "scorers: [exact]\npolicy: gate.yaml\n"), VOCABULARY, environment={})
    (problem,) = error.value.problems
    assert (problem.file, problem.line, problem.column) == ("gate.yaml", 2, 13)


def test_validate_reports_what_loading_would_and_looks_for_files(write):
    text = "suite: s\ndataset: cases.jsonl\ntarget: { type: http, url: '${URL}' }\nscorers: [own.py:polite, exakt]\n"
    found = validate_suite(write(text), VOCABULARY, environment={})
    assert [(p.line, p.message) for p in found] == [
        (2, "there is no dataset file `cases.jsonl`"),
        (3, "the environment variable `URL` is not set"),
        (4, "there is no file `own.py`"),
        (4, "unknown scorer `exakt`"),
    ]


def test_validate_runs_no_code_of_the_user_unless_asked(write):
    Path("own.py").write_text("raise RuntimeError('ran')\n")
    text = HEAD + "target: { type: python, callable: 'own.py:f' }\nscorers: ['own.py:polite']\n"
    assert validate_suite(write(text), VOCABULARY, environment={}) == []
    found = validate_suite(write(text), VOCABULARY, environment={}, import_code=True)
    assert [p.message for p in found] == [
        "there is no module in `own.py:f`",
        "importing `own.py` failed at line 1 of own.py: RuntimeError: ran",
    ]


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match=r"there is no file `.*nope\.yaml`"):
        load_suite(tmp_path / "nope.yaml", VOCABULARY)
    with pytest.raises(ConfigError, match="is a folder"):
        load_suite(tmp_path, VOCABULARY)
