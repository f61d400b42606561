from __future__ import annotations

import base64
import hashlib
import io
import re
import tracemalloc
from html.parser import HTMLParser

import msgspec
import pytest

from evalwright.core.case import Case
from evalwright.core.output import Output, Step
from evalwright.core.result import CaseResult
from evalwright.core.score import Score
from evalwright.reports import html
from evalwright.reports.caseview import Span
from evalwright.reports.markup import show, show_marked
from evalwright.reports.options import ReportOptions
from evalwright.reports.pages import page
from evalwright.reports.write import render
from tests.unit.reports import sample

OWN_TAGS = """
    html head meta title style body a nav p ul ol li span main header h1 h2 h3 h4 section div dl dt dd b svg line rect
    circle table thead tbody tr th td details summary form input select option button output kbd article pre code q
    blockquote mark footer script
"""
OWN_ATTRIBUTES = """
    lang charset http-equiv content name class href aria-label id aria-labelledby role aria-level aria-live dir title
    height x1 x2 y1 y2 x y width rx cx cy r scope data-l data-go data-f data-kind open hidden type placeholder
    autocomplete spellcheck value disabled
"""


class Page(HTMLParser):
    """What a browser's parser would find: tags, attributes, ids, links, scripts, text."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.ids, self.links = set(), set(), [], []
        self.raw, self.words, self._raw = {}, [], None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.ids += [value for name, value in attrs if name == "id"]
        self.links += [value for name, value in attrs if name in {"href", "src", "action", "data", "style"}]
        self._raw = tag if tag in {"script", "style"} else None

    def handle_endtag(self, tag):
        self._raw = None

    def handle_data(self, data):
        if self._raw:
            self.raw.setdefault(self._raw, []).append(data)
        else:
            self.words.append(data)

    @property
    def text(self):
        return "".join(self.words)


@pytest.fixture(scope="module")
def report():
    return render("html", sample.summary(), sample.cases())


@pytest.fixture(scope="module")
def parsed(report):
    return Page(report)


def test_the_page_holds_only_our_tags_and_attributes_whatever_the_run_holds(parsed):
    assert parsed.tags <= set(OWN_TAGS.split())
    assert parsed.attributes <= set(OWN_ATTRIBUTES.split())
    assert len(parsed.raw["script"]) == len(parsed.raw["style"]) == 1


def test_links_stay_in_the_page_and_lead_somewhere(parsed):
    assert {link[:1] for link in parsed.links} == {"#"}
    assert {link[1:] for link in parsed.links} <= set(parsed.ids)
    assert len(parsed.ids) == len(set(parsed.ids))


def test_the_policy_admits_the_inline_style_and_script_by_hash_and_nothing_else(report, parsed):
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', report)
    assert policy is not None
    allowed = policy[1].replace("&#39;", "'")
    for tag in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(parsed.raw[tag][0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in allowed
    assert allowed.startswith("default-src 'none'; ")
    assert "unsafe" not in allowed
    assert "http" not in allowed


def test_the_script_never_turns_text_into_markup():
    script = str(page().script)
    for word in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "fetch(", "XMLHttp", "src="):
        assert word not in script


def test_style_and_script_can_stand_inside_html_unescaped():
    assert "</" not in str(page().script)
    assert "<" not in str(page().style)
    assert "url(" not in str(page().style)
    assert "@import" not in str(page().style)


def test_hostile_text_is_shown_as_text(parsed):
    for words in (
        "<script>document.title='owned'</script></script><img src=x onerror=alert(1)>",
        '<a href="javascript:alert(2)">click</a> {{ 7*7 }} {% raw %}',
        "\\x1b[31mred\\x1b[0m \\x00nul ⟨U+202E⟩gnp.exe⟨U+202C⟩ zero⟨U+200B⟩×2width ⟨U+D800⟩ &amp;",
        'x" onmouseover="alert(1)</script>⟨U+202E⟩',
        "<img src=x onerror=alert(5)>",
    ):
        assert words in parsed.text


def test_the_file_is_valid_utf8_without_hidden_characters(report):
    report.encode()
    assert not set(report) & set("\x00\x1b\u202e\u202c\u200b\u2028")


def test_a_megabyte_on_one_line_is_cut_with_its_length(report, parsed):
    assert len(report) < 400_000
    assert "30,000 of 1,000,005 characters shown" in parsed.text


def test_the_verdict_comes_first(parsed):
    text = parsed.text
    places = [
        text.index(words) for words in ("The release is refused", "Each dot is", "Worst first", "All of them, in full")
    ]
    assert places == sorted(places)
    assert "FAIL: support-rag" in text[:200]


def test_every_rule_is_explained(parsed):
    text = parsed.text
    for words in (
        "groundedness for locale=de at least 0.850",
        "German answers are grounded too seldom",
        "About 1,350 cases would probably decide.",
        "latency p95 at most 2.50 s",
        "warns only",
        "95% sure: at most 0.810",
    ):
        assert words in text


def test_bars_carry_the_bounds_of_the_gate(report):
    assert "groundedness 0.871; 95% interval [0.835, 0.901]; minimum 0.850" in report
    assert "groundedness 0.711; 95% interval [0.552, 0.830]; minimum 0.850; all cases 0.871" in report
    assert "latency p95 2.43 s; 95% interval [2.20, 3.02] s; maximum 2.50 s" in report


def test_every_failing_case_is_there_in_full(parsed):
    text = parsed.text
    for result in sample.failing_cases()[:5]:
        assert html.caseview.anchor(result.case.id) in parsed.ids
        for unit in result.trials:
            if unit.output:
                assert unit.output.text.split("\n")[0][:25] in text
            for score in unit.scores.values():
                assert score.reason in text
            for attempt in unit.attempts:
                assert attempt.message in text


def test_conversations_contexts_and_evidence_are_marked_up(report):
    assert '<li class="turn system"><span class="role">system</span>' in report
    assert '<mark title="groundedness: contradicts the source">within 60 days</mark>' in report
    assert '<mark title="groundedness: the source">within 30 days</mark>' in report
    assert report.count('<span class="pill cited">cited</span>') == 3


def test_errors_show_their_history(parsed):
    assert "rate_limit HTTP 429: slow down after 100 ms, then waited 2.00 s" in parsed.text
    assert "HTTP 503: <b>upstream</b> unavailable" in parsed.text


def test_a_case_only_a_scorer_broke_on_is_shown_and_not_counted_as_failing():
    broken = sample.unit("c", output=Output(text="a"), scores={"m": Score.failure("no model file")})
    result = CaseResult(case=Case(id="c", input="q"), trials=(broken,), passed=None)
    text = Page(render("html", sample.summary(), [result, sample.failing_cases()[0]])).text
    assert "1 could not be judged because something broke." in text
    assert "On 1 of these only a scorer broke: they do not count as failing." in text
    assert "no model file" in text


def test_filters_offer_what_there_is_with_counts(report):
    assert ">locale=en (3 of 35)</option>" in report
    assert ">failed (5 of 5)</option>" in report
    assert ">target (1 of 1)</option>" in report
    assert ">smoke (1 of 31)</option>" in report


def test_other_cases_are_capped_with_an_honest_count():
    few = render("html", sample.summary(), sample.cases(50), options=ReportOptions(max_passed=10))
    text = Page(few).text
    assert "The first 10 are listed." in text
    assert "42 more cases did not fail and are not in this file" in text
    assert f"evalwright export {sample.RUN_ID} --format jsonl" in text
    assert few.count('<article class="case pass"') == 10
    assert few.count('<article class="case fail"') == 5


def test_notes_bad_rows_limits_and_manifest_are_there(parsed):
    for words in (
        "2 dataset rows were set aside",
        "tickets.jsonl, line 17: not valid JSON",
        "1 change of a rate limit",
        "assistant: 120 at once, HTTP 429, Retry-After 2 s",
        "evalwright run suites/support-rag.yaml --seed 7 --concurrency 64",
        "# a comment with </script> in it",
        "3f9c1d27b0aa4e6e8d1f0c9b5a7e6d4c3b2a1908",
    ):
        assert words in parsed.text


def test_a_baseline_stands_beside_with_its_own_interval():
    text = Page(render("html", sample.summary(), [], baseline=sample.summary())).text
    assert "this report does not compare the two" in text
    assert "baseline 0.871" in render("html", sample.summary(), [], baseline=sample.summary())


def test_an_empty_run_makes_a_page():
    empty = sample.summary(estimates=(), decision=None, failing=0, notes=(), bad_rows=(), limits=())
    text = Page(render("html", empty, [])).text
    for words in ("NO GATE", "No metric was computed.", "No case failed."):
        assert words in text


def test_deep_traces_end():
    step = Step(kind="tool", name="bottom")
    for number in range(60):
        step = Step(kind="agent", name=f"level {number}", children=(step,))
    case = sample.failing_cases()[0]
    deep = msgspec.structs.replace(case.trials[0], output=Output(text="x", steps=(step,)))
    text = Page(render("html", sample.summary(), [msgspec.structs.replace(case, trials=(deep,))])).text
    assert "deeper steps are not shown here" in text


def test_marks_overlap_and_hold_escaped_text():
    spans = [Span(start=0, end=4, note="a"), Span(start=2, end=6, note="b"), Span(start=50, end=60, note="c")]
    assert str(show_marked("<b>dog", spans)) == (
        '<mark title="a">&lt;b</mark><mark title="a\nb">&gt;d</mark><mark title="b">og</mark>'
    )


def test_very_many_spans_stay_fast():
    spans = [Span(start=n, end=n + 5, note=str(n)) for n in range(5_000)]
    assert str(show_marked("x" * 6_000, spans)).count("<mark") < 300


def test_any_value_can_be_shown():
    for value in (None, "", 3, 2.5, True, [], {}, {"a": object()}, "\ud800"):
        str(show(value)).encode()


def test_memory_does_not_grow_with_the_run():
    def many(count):
        for number in range(count):
            yield CaseResult(
                case=Case(id=f"case-{number}", input="What is it? " * 20),
                trials=(sample.unit("c", output=Output(text="An answer. " * 60), scores={"m": Score.of(False)}),),
                passed=False,
            )

    class Sink(io.StringIO):
        size = 0

        def write(self, text):
            self.size += len(text)
            return len(text)

    peaks = []
    for count in (500, 1_300):
        sink = Sink()
        html.write(sink, sample.summary(), many(10), ReportOptions())
        tracemalloc.start()
        html.write(sink, sample.summary(), many(count), ReportOptions())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert sink.size > 1_500_000
    assert peaks[1] < peaks[0] + 500_000


def luminance(colour):
    colour = colour if len(colour) == 7 else "#" + "".join(2 * char for char in colour[1:])
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "paper"),
    [
        *((ink, paper) for ink in ("text", "muted", "link") for paper in ("bg", "card", "soft")),
        *((name, f"{name}-bg") for name in ("pass", "fail", "warn", "plain")),
        *((name, "card") for name in ("pass", "fail", "warn")),
        ("mark-text", "mark"),
        ("fail", "soft"),
        ("text", "plain-bg"),
    ],
)
def test_colours_are_readable(scheme, ink, paper):
    blocks = re.findall(r":root\{(.*?)\}", str(page().style), re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+):(#\w+)", blocks[0])) | dict(re.findall(r"--([\w-]+):(#\w+)", blocks[scheme]))
    lighter, darker = sorted((luminance(colours[ink]), luminance(colours[paper])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5
