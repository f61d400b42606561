"""Comparison reports: words and cells, word diffs, hostile text, one self-contained page."""

import html
import re
from html.parser import HTMLParser

import pytest

from evalwright import Case, Suite, evaluate
from evalwright.core.comparison import (
    Advice,
    Comparison,
    Mismatch,
    PairComparison,
    PairedFigure,
    Pairing,
    Recommendation,
    RunSide,
    Weight,
)
from evalwright.reports.compare import words
from evalwright.reports.compare.bars import difference_bar, frontier_map, reach_of
from evalwright.reports.compare.html import comparison_html
from evalwright.reports.compare.markdown import MAX_CHARS, comparison_markdown
from evalwright.reports.compare.terminal import CompareView, comparison_summary
from evalwright.reports.compare.worddiff import MAX_WORDS, word_diff
from evalwright.reports.terminal import render_text
from evalwright.scorers import Contains, ExactMatch
from evalwright.services.comparing import compare

HOSTILE = "<script>alert(1)</script> \x1b[31m \u202e | `x` {{ 7*7 }} ](http://evil) @everyone {new}"


def figure(difference=-0.484, **more):
    options = {"share": True, "low": -0.535, "high": -0.43, "p": 1e-20, "p_adjusted": 1e-20, "n": 500, **more}
    return PairedFigure(metric="exact", baseline=0.836, candidate=0.352, difference=difference, **options)


@pytest.mark.parametrize(
    ("value", "unit", "share", "shown"),
    [
        (-0.484, "", True, "−48.4 pts"), (0.0312, "", True, "+3.1 pts"), (0.0, "", True, "0.0 pts"),
        (-48.78, "s", False, "−48.78 s"), (0.0021, "USD", False, "+0.0021 USD"), (None, "", True, "–"),
    ],
)  # fmt: skip
def test_differences_carry_their_sign_and_unit(value, unit, share, shown):
    assert words.signed(value, figure(unit=unit, share=share)) == shown


def test_intervals_p_values_and_words():
    assert words.interval(figure()) == "−53.5 to −43.0"
    assert [words.p_value(p) for p in (None, 1e-9, 0.012, 0.34, 0.9999)] == ["–", "< .001", ".012", ".34", ".99"]
    assert words.change_word(figure()) == "worse"
    assert words.change_word(figure(p=None, p_adjusted=None)) == "too few"
    assert words.change_word(figure(p=0.02, p_adjusted=0.2)) == "hint of worse"
    assert words.change_word(figure(p=0.4, p_adjusted=0.6)) == "not clear"
    assert words.record(figure(wins=27, losses=269, ties=204)) == "27 / 269 / 204"
    assert words.could_see(figure(detectable=0.039)) == "± 3.9 pts"


def test_word_diff_keeps_every_character():
    left, right = word_diff("the red car, 2 doors", "the blue car with 2 doors")
    assert "".join(piece.text for piece in left) == "the red car, 2 doors"
    assert "".join(piece.text for piece in right) == "the blue car with 2 doors"
    assert [piece.text.strip() for piece in left if piece.changed] == ["red", ","]
    same, _ = word_diff("a b", "a b")
    assert [(piece.text, piece.changed) for piece in same] == [("a b", False)]
    long = "word " * MAX_WORDS
    assert [piece.changed for piece in word_diff(long, "short")[0]] == [False]


def test_right_is_better_whatever_the_direction():
    worse = difference_bar(figure(), reach_of([figure()], 0.02), 0.02)
    lower = difference_bar(figure(higher_is_better=False), 0.6, 0.02)
    places = [float(re.search(r'<circle class="dot" cx="([\d.]+)%', str(bar)).group(1)) for bar in (worse, lower)]
    assert places[0] < 50 < places[1]
    assert "fail" in str(worse)
    assert "pass" in str(lower)


def hostile_comparison():
    side = RunSide(run_id="r1", label=HOSTILE, suite=HOSTILE, target=HOSTILE)
    other = RunSide(run_id="r2", label="new", suite="s")
    pair = PairComparison(
        baseline="r1",
        candidate="r2",
        pairing=Pairing(pairs=5),
        mismatches=(Mismatch(what="x", weight=Weight.LIMITS, meaning=HOSTILE, baseline=HOSTILE),),
        figures=(figure(), figure(note=HOSTILE)),
        slices=(figure(slice=f"locale={HOSTILE}"),),
        recommendation=Recommendation(advice=Advice.KEEP, headline=HOSTILE, reasons=(HOSTILE,), limits=(HOSTILE,)),
    )
    return Comparison(runs=(side, other), pairs=(pair,), family=HOSTILE)


class Tags(HTMLParser):
    """Counts of elements, and whether any attribute runs script."""

    def __init__(self):
        super().__init__()
        self.tags, self.handlers = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.handlers += [name for name, value in attrs if name.startswith("on") or "javascript:" in (value or "")]


def parsed(page):
    found = Tags()
    found.feed(page)
    return found


def test_hostile_text_acts_nowhere():
    comparison = hostile_comparison()
    page = comparison_html(comparison, [[]])
    found = parsed(page)
    assert (found.tags.count("script"), found.handlers) == (1, [])
    assert "alert(1)</script>" not in page
    text = render_text(comparison_summary(comparison, CompareView(width=120)), width=120)
    assert "\x1b" not in text
    assert "\u202e" not in text
    markdown = comparison_markdown(comparison)
    assert "<script>" not in markdown
    assert not re.search(r"(?<!\\)\]\(http", markdown)
    assert "@everyone" not in markdown


def test_a_page_makes_no_request_and_allows_only_its_own_script(tmp_path):
    cases = [Case(id=f"c{i}/<b>", input=f"{i} {HOSTILE}", expected=f"{i}", metadata={"l": "de"}) for i in range(12)]
    suite = Suite(name="s", cases=cases, scorers=[ExactMatch(), Contains("1")], slices={"l": "metadata.l"})

    def product(bad):
        return lambda text: HOSTILE if text.startswith(bad) else text.split()[0]

    runs = [evaluate(suite, product(bad), workspace=tmp_path) for bad in ("1", "2")]
    found = compare(baseline=runs[0], candidate=runs[1])
    page = comparison_html(found.record, found.shown_cases())
    tags = parsed(page)
    assert tags.tags.count("script") == 1
    assert not {"link", "img", "iframe", "object", "embed", "base"} & set(tags.tags)
    assert "default-src 'none'" in html.unescape(page)
    assert not re.search(r'(?:src|href)="(?!#)', page)
    assert "c2/&lt;b&gt;" in page
    assert page.count('class="case"') == len(found.shown_cases()[0])
    assert 'class="chg"' in page


def test_no_cell_of_a_narrow_terminal_is_cut():
    for width in (40, 60, 80, 120, 200):
        text = render_text(comparison_summary(hostile_comparison(), CompareView(width=width)), width=width)
        assert "48.4 pts" in text
        assert max(map(len, text.splitlines())) <= width


def test_comparability_is_told_before_any_figure():
    text = render_text(comparison_summary(hostile_comparison()), width=100)
    assert text.index("Comparable on 5 cases") < text.index("KEEP THE BASELINE") < text.index("48.4 pts")


def test_markdown_is_cut_to_what_a_comment_takes():
    many = hostile_comparison()
    rows = tuple(figure(slice=f"s={i}" + "x" * 60) for i in range(200))
    pair = PairComparison(**{n: getattr(many.pairs[0], n) for n in many.pairs[0].__struct_fields__} | {"slices": rows})
    text = comparison_markdown(Comparison(runs=many.runs, pairs=(pair,) * 30))
    assert len(text) <= MAX_CHARS
    assert "cut: too long" in text


def test_a_map_needs_two_runs_with_both_values():
    assert frontier_map((), "cost", "quality") == ""
