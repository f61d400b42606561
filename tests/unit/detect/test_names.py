"""Names and addresses by an engine: whoever finds them, what is likely and what a person must look at."""

from types import SimpleNamespace

import pytest

from evalwright.core.errors import MissingExtra, UsageError
from evalwright.datasets.redaction import Redactor
from evalwright.detect import Confidence, Detector, Named, load_engine
from evalwright.detect.names import PresidioEngine, SpacyEngine


class KnownNames:
    """An engine that knows some names."""

    def find(self, text):
        for kind, name, score in [
            ("person", "Ann Lee", 0.9),
            ("person", "Bob", None),
            ("person", "Eve Low", 0.3),
            ("place", "Oslo", None),
            ("organization", "Acme", None),
        ]:
            at = text.find(name)
            if at >= 0:
                yield Named(kind, at, at + len(name), score)


def found(text, **more):
    return [(f.kind, f.text, f.confidence) for f in Detector(names=KnownNames(), **more).find(text)]


def test_whole_names_are_likely_and_the_rest_is_for_a_person():
    assert found("Ann Lee and Bob of Acme met Eve Low in Oslo") == [
        ("person", "Ann Lee", Confidence.LIKELY),
        ("person", "Bob", Confidence.POSSIBLE),
        ("person", "Eve Low", Confidence.POSSIBLE),
        ("place", "Oslo", Confidence.POSSIBLE),
    ]
    assert found("Ann Lee and Bob", allow=["ann lee"]) == [("person", "Bob", Confidence.POSSIBLE)]


@pytest.mark.parametrize(
    "text",
    ["12 Old Mill Road", "221B Baker Street", "Lange Straße 7", "P.O. Box 1234", "calle de Alcalá 45", "1 Main St."],
)
def test_street_addresses_have_a_shape(text):
    assert [f[0] for f in found(f"Send it to {text} please")] == ["address"]


@pytest.mark.parametrize("text", ["in 2024 The Way home", "5 Great ideas", "Version 12 Release", "the street 7"])
def test_other_words_have_not(text):
    assert found(text) == []


def test_without_an_engine_no_name_is_looked_for():
    assert Detector().find("Ann Lee, 12 Old Mill Road") == []


def test_the_same_person_gets_the_same_stand_in():
    redactor = Redactor(b"a key of sixteen bytes", Detector(names=KnownNames()))
    first, second = redactor.text("Ann Lee wrote"), redactor.text("to Ann Lee")
    assert first.split(" wrote")[0] == second.split("to ")[1]
    assert first.startswith("[PERSON-")
    assert redactor.text(first) == first
    redactor.text("Bob in Oslo")
    assert {(left.kind, left.shown) for left in redactor.report.leftovers} == {("person", "B…ob"), ("place", "O…lo")}


def test_spacy_and_presidio_are_asked_as_they_want_to_be():
    entities = [SimpleNamespace(label_=label, start_char=0, end_char=3) for label in ("PERSON", "ORG", "GPE")]
    engine = SpacyEngine(lambda _: SimpleNamespace(ents=entities))
    assert list(engine.find("Ann")) == [Named("person", 0, 3), Named("place", 0, 3)]

    class Analyzer:
        def analyze(self, *, text, language, entities):
            assert (language, entities) == ("de", ["PERSON", "LOCATION"])
            return [SimpleNamespace(entity_type="PERSON", start=0, end=len(text), score=0.85)]

    assert list(PresidioEngine(Analyzer(), "de").find("Ann")) == [Named("person", 0, 3, 0.85)]


def test_an_engine_of_ones_own_is_found_by_name():
    assert isinstance(load_engine(f"{__name__}:KnownNames"), KnownNames)
    for spec, said in [("nothing", "no engine"), ("json:loads", "has no `find"), ("json:gone", "no engine")]:
        with pytest.raises(UsageError, match=said):
            load_engine(spec)


def test_a_missing_package_names_the_extra():
    pytest.importorskip("msgspec")
    try:
        import spacy  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtra, match=r"evalwright\[pii\]"):
            load_engine("spacy:en_core_web_sm")
        with pytest.raises(MissingExtra, match=r"evalwright\[pii\]"):
            load_engine("presidio:en")


def test_spans_outside_of_the_text_are_not_taken():
    class Wrong:
        def find(self, text):
            return [Named("person", 5, 2), Named("person", 0, 999), Named("person", -1, 3)]

    assert Detector(names=Wrong()).find("Ann Lee") == []


def test_long_texts_are_asked_in_pieces():
    seen = []

    class Counting:
        def find(self, text):
            seen.append(len(text))
            at = text.find("Ann Lee")
            return [Named("person", at, at + 7)] if at >= 0 else []

    text = "x" * 150_000 + " Ann Lee"
    assert [(f.start, f.text) for f in Detector(names=Counting()).find(text)] == [(150_001, "Ann Lee")]
    assert seen == [100_000, 50_008]
