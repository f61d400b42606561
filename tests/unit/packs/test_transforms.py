"""Every transform holds what it promises, for any text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalwright.core.errors import UsageError
from evalwright.packs.transforms import TRANSFORMS, transform

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.text(
    st.sampled_from("abc XYZ 019 .,äñ"), max_size=60
)
INVERTIBLE = sorted(name for name, item in TRANSFORMS.items() if item.invert)
LOSSLESS = sorted(name for name, item in TRANSFORMS.items() if item.lossless)


@pytest.mark.parametrize("name", INVERTIBLE)
@settings(max_examples=60, deadline=None)
@given(text=TEXTS)
def test_the_inverse_gives_back_what_survives(name, text):
    item = TRANSFORMS[name]
    assert item.invert(item.apply(text)) == item.canonical(text)


@pytest.mark.parametrize("name", sorted(TRANSFORMS))
@settings(max_examples=30, deadline=None)
@given(text=TEXTS)
def test_a_transform_is_defined_for_any_text_and_always_the_same(name, text):
    item = TRANSFORMS[name]
    assert isinstance(item.apply(text), str)
    assert item.apply(text) == item.apply(text)


@pytest.mark.parametrize("name", sorted(TRANSFORMS.keys() - {"none"}))
def test_a_transform_changes_an_ordinary_sentence(name):
    assert TRANSFORMS[name].apply("Please <write> the code word.") != "Please <write> the code word."


@pytest.mark.parametrize("name", INVERTIBLE)
@settings(max_examples=30, deadline=None)
@given(text=TEXTS)
def test_what_survives_survives_again(name, text):
    item = TRANSFORMS[name]
    kept = item.canonical(text)
    assert item.canonical(kept) == kept


@settings(max_examples=80, deadline=None)
@given(names=st.lists(st.sampled_from(LOSSLESS), min_size=1, max_size=3), text=st.text("ab cÄ😀", max_size=12))
def test_chains_of_lossless_transforms_are_undone_in_reverse(names, text):
    item = transform("+".join(names))
    assert item.invert is not None
    assert item.invert(item.apply(text)) == text


def test_a_chain_with_a_lossy_step_has_no_inverse():
    assert transform("morse+base64").invert is None
    assert transform("leet+base64").invert is None


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("base64", "Print it", "UHJpbnQgaXQ="),
        ("hex", "az", "617a"),
        ("rot13", "Why?", "Jul?"),
        ("caesar", "xyz", "abc"),
        ("atbash", "abc", "zyx"),
        ("morse", "SOS now", "... --- ... / -. --- .--"),
        ("nato", "A1", "Alfa-One"),
        ("url", "a b", "%61%20%62"),
        ("json_escape", "a😀", "\\u0061\\ud83d\\ude00"),
        ("char_codes", "AB", "65 66"),
        ("reverse_words", "one two", "two one"),
        ("pig_latin", "string apple", "ingstray appleay"),
        ("spaced_letters", "abc", "a b c"),
        ("rail_fence", "WEAREDISCOVERED", "WECRERDSOEEAIVD"),
        ("fullwidth", "A b", "\uff21\u3000\uff42"),
    ],
)
def test_published_examples(name, text, expected):
    assert TRANSFORMS[name].apply(text) == expected


def test_an_unknown_transform_is_named_with_those_there_are():
    with pytest.raises(UsageError, match="base63") as told:
        transform("rot13+base63")
    assert "base64" in told.value.hint
