"""Drafts made by templates: what they ask and expect, what perturbations keep, where needles lie."""

import msgspec
import pytest

from evalwright.core.case import BadRow, Case
from evalwright.core.errors import ConfigError, UsageError
from evalwright.core.suite import DatasetSpec
from evalwright.datasets.drafting import (
    KINDS,
    DraftState,
    Needle,
    NeedleGrid,
    Relation,
    document_drafts,
    needle_drafts,
    perturbed,
    read_documents,
    read_drafts,
    write_drafts,
)
from evalwright.datasets.drafting.documents import parse_document
from evalwright.datasets.reader import read_rows

GUIDE = """\
# Lending

A reservation is a hold on a book that somebody else has. It ends after a while, e.g. in summer.
Books can be kept for 28 days by every member. Members must return books to the desk they came from.

```
Nothing in code is a sentence of the text.
```

## How do I renew a book?

Open the page “My loans”. Press *renew* beside the title.

## Joining

1. Fill in the form.
2. Bring a **passport**.

- Branch: a place of the library with a desk of its own

Fees
----

The fee is 3 euros or 4 euros, as it comes.
"""


def asked(**more):
    drafts = document_drafts([parse_document(GUIDE, "guide.md")], **more)
    return {(d.origin.kind, d.draft.input): d for d in drafts}


def test_documents_give_questions_with_facts_and_their_place():
    found = asked()
    expected = {
        ("definition", "What is A reservation?"),
        ("amount", "Which figure belongs in the gap? Books can be kept for ____ by every member."),
        ("duty", "What must Members do?"),
        ("faq", "How do I renew a book?"),
        ("steps", "What are the steps of “Joining”, in order?"),
        ("term", "What does the documentation say about “Branch”?"),
        ("section", "What should one know about “Lending”?"),
    }
    assert set(found) == {(kind, text.replace("A reservation", "a reservation")) for kind, text in expected}
    faq = found["faq", "How do I renew a book?"].draft
    assert faq.expected == ["Open the page “My loans”.", "Press *renew* beside the title."]
    assert faq.metadata["source"] == {"file": "guide.md", "line": 10, "heading": "How do I renew a book?"}
    assert faq.cluster == "guide.md"
    amount = next(d for (kind, _), d in found.items() if kind == "amount")
    assert (amount.draft.expected, amount.origin.line) == (["28 days"], 4)
    assert all(d.state is DraftState.DRAFT for d in found.values())


def test_samples_take_from_every_template_and_are_the_same_again():
    first, second = list(asked(most=3, seed=4)), list(asked(most=3, seed=4))
    assert first == second
    assert len({kind for kind, _ in first}) == 3
    assert {kind for kind, _ in asked(kinds=["faq"])} == {"faq"}


def test_underlined_headings_and_several_figures():
    document = parse_document(GUIDE, "guide.md")
    assert [section.heading for section in document.sections][-1] == "Fees"
    assert not any("3 euros" in text for _, text in asked())


def test_folders_are_read_and_wrong_ones_named(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.md").write_text(GUIDE, encoding="utf-8")
    (tmp_path / ".hidden.md").write_text("x", encoding="utf-8")
    (tmp_path / "b.pdf").write_bytes(b"x")
    assert [d.name for d in read_documents(tmp_path)] == ["sub/a.md"]
    (tmp_path / "c.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not UTF-8"):
        read_documents(tmp_path)
    with pytest.raises(UsageError, match="does not exist"):
        read_documents(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="holds no document"):
        read_documents(tmp_path / "empty")


QUESTION = "Is the café near https://example.org/library open after 1730 on Sundays?"


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_changes_the_text_and_says_what_must_follow(kind):
    case = Case(id="q1", input=QUESTION, expected="No", metadata={"locale": "en"})
    (draft,), left = perturbed([case], [kind], seed=2)
    made = draft.draft
    assert (left, made.id, made.cluster, draft.origin.of) == (0, f"q1~{kind}", "q1", "q1")
    assert made.input != QUESTION
    assert made.metadata["locale"] == "en"
    assert made.metadata["metamorphic"] == {"of": "q1", "relation": draft.relation.value}
    if draft.relation is Relation.SAME:
        assert made.expected == "No"
    else:
        assert made.expected is None
        assert made.metadata["not_expected"] == "No"
    assert perturbed([Case(id="other", input="Is it 5?"), case], [kind], seed=2)[0][-1] == draft


def test_typos_leave_addresses_and_figures_alone():
    for seed in range(40):
        ((draft,), _) = perturbed([Case(id="q", input=QUESTION)], ["typos"], seed=seed)
        assert "https://example.org/library" in draft.draft.input
        assert "1730" in draft.draft.input
        assert draft.draft.input != QUESTION


def test_numbers_and_negations_change_one_thing():
    def changed(text, kind):
        drafts, _ = perturbed([Case(id="q", input=text)], [kind])
        return [d.draft.input for d in drafts]

    (found,) = changed("A 12.5 % rise", "numbers")
    assert found.startswith("A ")
    assert found.endswith(".5 % rise")
    assert found != "A 12.5 % rise"
    assert changed("Dogs are allowed", "negation") == ["Dogs are not allowed"]
    assert changed("Dogs aren't allowed", "negation") == ["Dogs are allowed"]
    assert changed("Hello", "negation") == []
    assert changed("", "typos") == []


def test_inputs_of_every_shape_keep_their_shape():
    shapes = [
        {"question": "When does it open?", "locale": "en"},
        [{"role": "system", "content": "Be kind"}, {"role": "user", "content": "When does it open?"}],
        {"odd": "When does it open?"},
        17,
    ]
    cases = [Case(id=str(n), input=value) for n, value in enumerate(shapes)]
    drafts, left = perturbed(cases, ["case"])
    assert left == 2
    assert drafts[0].draft.input["locale"] == "en"
    assert drafts[1].draft.input[0] == shapes[1][0]
    assert drafts[1].draft.input[1]["content"].lower() == "when does it open?"
    assert len(perturbed(cases[2:3], ["case"], field="odd")[0]) == 1
    with pytest.raises(UsageError, match="unknown kind `nope`"):
        perturbed(cases, ["nope"])


def test_needles_lie_at_their_depth_in_the_same_hay():
    filler = " ".join(
        f"Sentence number {['one', 'two', 'three', 'four'][n % 4]} tells of dogs and cats." for n in range(99)
    )
    grid = NeedleGrid(lengths=(200, 400), depths=(0, 30, 100), repeats=2, seed=3)
    drafts = needle_drafts([parse_document(filler, "a.txt")], grid)
    assert len(drafts) == 12
    assert len({d.draft.cluster for d in drafts}) == 4
    for draft in drafts:
        text, _, question = draft.draft.input.rpartition("\n\n")
        fact, made = draft.draft.metadata["needle"], draft.draft.metadata
        before = len(text.partition(fact)[0].split())
        hay = made["words"] - len(fact.split())
        assert abs(before / hay - made["depth"] / 100) < 0.03
        assert made["length"] - 10 < made["words"] <= made["length"]
        assert draft.draft.expected in fact
        assert draft.draft.expected not in question
    assert drafts == needle_drafts([parse_document(filler, "a.txt")], grid)


def test_needles_that_prove_nothing_are_refused():
    document = parse_document("The answer is blue. It is well known.", "a.txt")
    with pytest.raises(UsageError, match="themselves hold the answer"):
        needle_drafts([document], NeedleGrid(lengths=(50,)), Needle(fact="It is blue.", question="?", answer="Blue"))
    with pytest.raises(UsageError, match="no sentence"):
        needle_drafts([parse_document("", "a.txt")], NeedleGrid())
    for grid in (NeedleGrid(lengths=()), NeedleGrid(lengths=(3,)), NeedleGrid(depths=(101,))):
        with pytest.raises(UsageError):
            needle_drafts([document], grid)


def test_a_file_of_drafts_can_be_read_again_but_is_no_dataset(tmp_path):
    drafts = list(asked().values())
    path = tmp_path / "drafts.jsonl"
    assert write_drafts(path, drafts) == len(drafts)
    assert read_drafts(path) == drafts
    rows = list(read_rows(DatasetSpec(file="drafts.jsonl"), tmp_path))
    assert all(isinstance(row, BadRow) for row in rows)
    path.write_text('{"x": 1}\nnot json\n', encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_drafts(path)
    assert [problem.line for problem in caught.value.problems] == [1, 2]


def test_only_accepted_drafts_become_cases():
    draft = next(iter(asked().values()))
    with pytest.raises(ValueError, match="is draft, not accepted"):
        draft.released()
    case = msgspec.structs.replace(draft, state=DraftState.ACCEPTED, by="ada").released()
    assert case.metadata["accepted_by"] == "ada"
    assert case.metadata["origin"]["kind"] == draft.origin.kind
