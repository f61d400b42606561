"""compare, power, flaky and slices from the command line, on a product that changes."""

import json
import re

import pytest

from tests.docs.test_tutorial import DOCS, blocks

BETTER = """\
def answer(question):
    number = int(question.split()[1])
    return f"answer {number}" if number % 10 or number == 10 else "no idea"
"""
RANDOM = """\
import random

CHANCE = random.Random(7)


def answer(question):
    number = int(question.split()[1])
    if number == 3:
        return "broken"
    return f"answer {number}" if number % 10 or CHANCE.random() < 0.5 else "no idea"
"""


def runs_of(folder):
    """Run ids, oldest first."""
    made = [json.loads(path.read_text()) for path in folder.path.glob(".evalwright/runs/*/manifest.json")]
    return [manifest["run_id"] for manifest in sorted(made, key=lambda manifest: manifest["created_at"])]


def forget_product():
    import sys

    sys.modules.pop("product", None)


@pytest.fixture
def changed(folder):
    """Two runs: the second answers one case more."""
    assert folder.run("run", "suite.yaml", "--quiet", "--report", "none").code == 0
    folder.write("product.py", BETTER)
    forget_product()
    assert folder.run("run", "suite.yaml", "--quiet", "--report", "none").code == 0
    return folder


def test_compare_says_comparability_advice_figures_and_flips_in_this_order(changed):
    done = changed.run("compare", *runs_of(changed))
    assert done.code == 0
    places = [done.out.index(word) for word in ("Comparable", "NOT ENOUGH EVIDENCE", "exact", "now pass: q10")]
    assert places == sorted(places)
    assert "28 cases" in done.out or "30 cases" in done.out


def test_json_has_every_figure_and_the_words(changed):
    done = changed.run("compare", *runs_of(changed), "--json")
    pair = done.json["pairs"][0]
    figure = next(f for f in pair["figures"] if f["metric"] == "exact")
    assert (figure["n"], figure["wins"], figure["losses"]) == (30, 1, 0)
    assert figure["gain"] == pytest.approx(1 / 30)
    assert figure["low"] < 0 < figure["high"]
    assert pair["comparable"]
    assert pair["recommendation"]["headline"]
    assert {f["slice"] for f in pair["slices"]} == {"locale=de", "locale=en"}


def test_reports_and_combinations_and_a_mix(changed):
    done = changed.run(
        "compare", *runs_of(changed), "--html", "c.html", "--markdown", "c.md", "--by", "locale", "--mix",
        "locale: de=0.2, en=0.8", "--margin", "0.05", "--json",
    )  # fmt: skip
    assert done.code == 0
    assert done.json["reports"] == {"html": "c.html", "markdown": "c.md"}
    assert "q10" in (changed.path / "c.html").read_text(encoding="utf-8")
    assert done.json["pairs"][0]["reweighted"][0]["metric"] == "exact"


def test_a_named_baseline_is_enough(changed):
    first, second = runs_of(changed)
    nothing = changed.run("compare", second)
    assert nothing.code == 2
    assert "name both runs" in nothing.err
    named = changed.run("compare", second, "--baseline", first, "--json")
    assert [run["run_id"] for run in named.json["runs"]] == [first, second]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--by", "locale & country"], "no slice `country`"),
        (["--mix", "locale: fr=1"], "no case of locale=fr"),
        (["--metric", "bleu"], "no metric `bleu`"),
        (["--level", "2"], "--level can't be 2"),
        (["--quality", "bleu"], "no metric `bleu`"),
    ],
)
def test_mistakes_are_told_without_a_traceback(changed, words, message):
    done = changed.run("compare", *runs_of(changed), *words)
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err


def test_a_run_against_itself_is_refused(changed):
    first = runs_of(changed)[0]
    done = changed.run("compare", first, first)
    assert (done.code, "two different runs" in done.err) == (2, True)


def test_power_before_the_first_run_and_after(folder):
    before = folder.run("power", "suite.yaml", "--difference", "3%", "--json")
    row = before.json["rows"][0]
    assert (row["metric"], row["n"], row["basis"]) == ("exact", 30, "assumed")
    assert row["detectable"] > 0.1
    assert row["needed"] == 870
    assert not (folder.path / ".evalwright").exists()
    folder.run("run", "suite.yaml", "--quiet", "--report", "none")
    one = folder.run("power", "suite.yaml", "--json").json
    assert one["rows"][0]["basis"] == "one run"
    folder.write("product.py", BETTER)
    forget_product()
    folder.run("run", "suite.yaml", "--quiet", "--report", "none")
    two = folder.run("power", "latest", "--json").json
    assert (two["rows"][0]["basis"], len(two["runs"])) == ("two runs", 2)
    assert two["rows"][0]["changed"] == pytest.approx(1 / 30)
    text = " ".join(folder.run("power", "latest", "--difference", "0.05").out.split())
    assert "usually shows a true difference" in text
    assert "locale=en" in text


def test_power_says_what_it_does_not_understand(folder):
    done = folder.run("power", "suite.yaml", "--difference", "much")
    assert (done.code, "is no number" in done.err) == (2, True)
    assert folder.run("power", "suite.yaml", "--power", "1.5").code == 2


def test_flaky_cases_are_told_from_changed_ones(folder):
    folder.run("run", "suite.yaml", "--trials", "6", "--quiet", "--report", "none")
    folder.write("product.py", RANDOM)
    forget_product()
    folder.run("run", "suite.yaml", "--trials", "6", "--quiet", "--report", "none")
    found = {row["case_id"]: row["stability"] for row in folder.run("flaky", "--json").json["cases"]}
    assert found["q03"] == "changed"
    assert "flaky" in {found.get(f"q{i}") for i in ("00", "10", "20")}
    text = folder.run("flaky")
    assert text.code == 0
    assert "truly changed" in text.out
    assert folder.run("flaky", "--metric", "bleu").code == 2


def test_one_trial_shows_nothing_and_says_how_to_see(folder):
    folder.run("run", "suite.yaml", "--quiet", "--report", "none")
    assert "--trials 3" in folder.run("flaky").out


def test_slices_are_searched_and_reweighted(folder):
    rows = [
        {"id": f"q{i:03d}", "input": f"question {i}", "expected": f"answer {i}", "locale": "de" if i % 3 else "en",
         "weak": "yes" if i % 10 == 0 else "no"}
        for i in range(120)
    ]  # fmt: skip
    folder.write("cases.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    folder.run("run", "suite.yaml", "--quiet", "--report", "none")
    found = folder.run("slices", "latest", "--min-n", "10", "--json").json
    assert found["rows"][0]["label"] == "metadata.weak=yes"
    assert found["rows"][0]["p_adjusted"] < 0.001
    assert "metadata.weak=yes" in folder.run("slices", "latest", "--min-n", "10").out
    assert "No slice" in folder.run("slices", "latest", "--no-fields").out
    mixed = folder.run("slices", "latest", "--mix", "locale: de=0.5, en=0.5", "--json").json
    assert mixed["metrics"][0]["adjusted"]["value"] == pytest.approx(0.9)
    assert folder.run("slices", "latest", "--metric", "bleu").code == 2


def test_classes_of_a_classifier(folder):
    folder.suite(scorers="[accuracy, f1]", dataset="{ file: cases.jsonl, fields: { expected: locale } }")
    folder.write("product.py", "def answer(question):\n    return 'de' if int(question.split()[1]) % 2 else 'en'\n")
    done = folder.run("run", "suite.yaml", "--quiet", "--report", "none", "--json")
    names = {m["name"]: m for m in done.json["metrics"] if not m["slice"]}
    assert names["f1"]["low"] < names["f1"]["value"] < names["f1"]["high"]
    found = folder.run("slices", "latest", "--confusion", "accuracy", "--json").json
    assert sum(map(sum, found["counts"])) == 30
    assert "→" in folder.run("slices", "latest", "--confusion", "accuracy").out
    assert folder.run("slices", "latest", "--confusion", "latency").code == 2


def test_the_python_of_the_page_runs(tmp_path, monkeypatch):
    import evalwright

    if not hasattr(evalwright, "compare"):
        pytest.skip("evalwright.compare is not exported yet")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EVALWRIGHT_WORKSPACE", raising=False)
    names = {"__name__": "page"}
    code = [text for kind, _, text in blocks("comparing.md") if kind == "python"]
    assert code
    for text in code:
        exec(compile(text, "comparing.md", "exec"), names)


def test_every_option_of_the_page_exists(folder):
    page = (DOCS / "comparing.md").read_text(encoding="utf-8")
    for command in ("compare", "power", "flaky", "slices"):
        known = folder.run(command, "--help").out
        used = re.findall(rf"evalwright {command}[^\n`]*", page)
        assert used
        for option in {word for line in used for word in re.findall(r"--[a-z-]+", line)}:
            assert option in known, f"{command} {option}"
