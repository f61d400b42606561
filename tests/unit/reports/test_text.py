from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalwright.reports.text import (
    as_text,
    cut,
    html_line,
    json_text,
    markdown_block,
    markdown_cell,
    markdown_code,
    one_line,
    pieces,
    plural,
    visible,
    xml_text,
)

ANY_TEXT = st.text(alphabet=st.characters(codec=None, exclude_categories=[]), max_size=60)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, with\ttab and\nline", "plain, with\ttab and\nline"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("nul\x00", "nul\\x00"),
        ("abc\u202edcba", "abc⟨U+202E⟩dcba"),
        ("zero\u200b\u200b\u200bwidth", "zero⟨U+200B⟩×3width"),
        ("lone \ud800 surrogate", "lone ⟨U+D800⟩ surrogate"),
        ("line\u2028separator", "line⟨U+2028⟩separator"),
        ("windows\r\nlines", "windows\nlines"),
        ("over\rwritten", "over\\x0dwritten"),
        ("next\x85line", "next\\x85line"),
        ("tag \U000e0041\U000e0042", "tag ⟨U+E0041⟩⟨U+E0042⟩"),
        ("woman technician 👩\u200d💻", "woman technician 👩\u200d💻"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("pass\u200dword", "pass⟨U+200D⟩word"),
        ("heart ❤\ufe0f", "heart ❤\ufe0f"),
        ("smuggled\ufe00\ufe01\ufe02", "smuggled⟨U+FE00⟩⟨U+FE01⟩⟨U+FE02⟩"),
    ],
)
def test_hidden_characters_are_written_out(text, shown):
    assert visible(text) == shown


@given(ANY_TEXT)
def test_visible_text_can_be_encoded_and_holds_no_control(text):
    shown = visible(text)
    shown.encode()
    controls = [char for char in shown if unicodedata.category(char) in {"Cc", "Cs"} and char not in "\t\n"]
    assert controls == []
    assert not set(shown) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u200b\ufeff")


@given(ANY_TEXT)
def test_pieces_put_together_give_the_text_back(text):
    together = "".join(piece.text * piece.count for piece in pieces(text))
    assert together == text.replace("\r\n", "\n")


def test_plain_pieces_know_their_place():
    assert [(piece.text, piece.start, piece.count) for piece in pieces("ab\x00\x00cd")] == [
        ("ab", 0, 1),
        ("\x00", 2, 2),
        ("cd", 4, 1),
    ]


@given(ANY_TEXT, st.integers(2, 40))
def test_one_line_is_one_line_within_its_width(text, width):
    line = one_line(text, width)
    assert len(line) <= width
    assert len(line.splitlines()) <= 1


def test_a_long_text_is_cut_and_says_how_much_is_left():
    assert cut("abcdef", 4) == ("abcd", 2)
    assert cut("abc", 4) == ("abc", 0)


def test_json_text_never_raises():
    loop: list[object] = []
    loop.append(loop)
    assert "not shown" in json_text(loop)
    assert json.loads(json_text({"a": ["ä", 1]})) == {"a": ["ä", 1]}
    assert "object object" in json_text({"o": object()})


def test_text_stays_text_and_none_is_nothing():
    assert (as_text("a"), as_text(None), as_text({"a": 1})) == ("a", "", '{\n  "a": 1\n}')


@pytest.mark.parametrize("text", ["\x00\x08\x0b\x1f", "\ud800 \udfff", "\ufffe\uffff"])
def test_xml_text_holds_only_characters_of_xml(text):
    shown = xml_text(text)
    assert all(char in "\t\n\r" or " " <= char <= "\ud7ff" or "\ue000" <= char <= "\ufffd" for char in shown)
    assert shown


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("a|b", "a\\|b"),
        ("<script>", "&lt;script&gt;"),
        ("![x](http://e.example/p.png)", "!\\[x\\](http:\\//e.example/p.png)"),
        ("@team see #12", "@\u2060team see \\#\u206012"),
        ("**bold** _it_ `code`", "\\*\\*bold\\*\\* \\_it\\_ \\`code\\`"),
        ("two\nlines", "two lines"),
        ("$x$ and www.example.org", "\\$x\\$ and www\\.example.org"),
        ("&lt;", "&amp;lt;"),
    ],
)
def test_markdown_cells_are_inert(text, cell):
    assert markdown_cell(text) == cell


def test_html_inside_markdown_is_escaped_once():
    assert html_line("it's <b> @you") == "it&#x27;s &lt;b&gt; @\u2060you"


@pytest.mark.parametrize("text", ["plain", "```", "`a` ````b````", "text\n```\nmore"])
def test_a_fence_is_longer_than_any_in_the_text(text):
    fence = markdown_block(text).split("text\n", 1)[0]
    assert set(fence) == {"`"}
    assert fence not in text


def test_a_block_says_how_much_it_leaves_out():
    assert "… 8,800 more characters" in markdown_block("x" * 10_000, 1_200)


def test_code_spans_hold_backticks_and_bars():
    assert markdown_code("a`b|c") == "``a`b∣c``"
    assert markdown_code("") == "–"


def test_words_of_counts():
    assert (plural(1, "case"), plural(1200, "case"), plural(2, "slice of it", "slices of it")) == (
        "1 case",
        "1,200 cases",
        "2 slices of it",
    )


@settings(max_examples=30)
@given(ANY_TEXT)
def test_cells_never_hold_a_bare_bar_or_angle(text):
    cell = markdown_cell(text)
    assert "<" not in cell
    assert "|" not in cell.replace("\\|", "")
