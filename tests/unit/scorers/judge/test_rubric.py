"""Rubrics are read with the place of everything wrong."""

import pytest

from evalwright.core.errors import ConfigError
from evalwright.core.rubric import RubricScale
from evalwright.scorers.judge.rubric_file import load_rubric

GOOD = """\
rubric: helpfulness
version: 2
criterion: Does the answer solve what was asked?
scale: ordinal
levels:
  - { name: no, value: 0, anchor: Nothing is solved. }
  - { name: partly, value: 0.5 }
  - { name: yes, value: 1, anchor: "Solved: nothing is missing." }
pass_from: yes
examples:
  - { input: "How long?", output: Five days., level: yes, reason: It is what was asked. }
"""


def written(tmp_path, text):
    path = tmp_path / "rubric.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_rubric_is_read_and_no_and_yes_stay_words(tmp_path):
    rubric = load_rubric(written(tmp_path, GOOD))
    assert (rubric.name, rubric.version, rubric.scale) == ("helpfulness", "2", RubricScale.ORDINAL)
    assert rubric.names == ("no", "partly", "yes")
    assert [level.value for level in rubric.levels] == [0.0, 0.5, 1.0]
    assert (rubric.passes("partly"), rubric.passes("yes")) == (False, True)
    assert rubric.examples[0].level == "yes"


def test_every_word_counts_for_the_digest(tmp_path):
    first = load_rubric(written(tmp_path, GOOD)).digest
    assert first == load_rubric(written(tmp_path, GOOD + "# a remark\n")).digest
    assert first != load_rubric(written(tmp_path, GOOD.replace("Nothing is", "Little is"))).digest


@pytest.mark.parametrize(
    ("change", "line", "column", "says"),
    [
        (("criterion: Does the answer solve what was asked?\n", ""), 1, 1, "`criterion` is missing"),
        (("value: 0.5", "value: half"), 7, 28, "levels.1.value"),
        (("anchor: Nothing", "anker: Nothing"), 6, 27, "unknown key `anker`"),
        (("scale: ordinal", "scale: likert"), 4, 8, "scale"),
        (("pass_from: yes", "pass_from: fine"), 1, 1, "is no level"),
        (("level: yes", "level: great"), 1, 1, "has the level `great`"),
        (("name: partly", "name: yes"), 1, 1, "two levels are called `yes`"),
        (("value: 0,", "value: 2,"), 1, 1, "worst first"),
        (("version: 2", "rubric: again"), 2, 1, "given twice"),
        (("version: 2", "version: [2"), 3, 10, "not valid YAML"),
        (("version: 2", "version: &a 2\nnotes: *a"), 3, 8, "aliases"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path, change, line, column, says):
    path = written(tmp_path, GOOD.replace(*change))
    with pytest.raises(ConfigError) as caught:
        load_rubric(path, name="rubric.yaml")
    problem = caught.value.problems[0]
    assert says in problem.message
    assert (problem.file, problem.line, problem.column) == ("rubric.yaml", line, column)


def test_several_mistakes_are_told_together(tmp_path):
    path = written(tmp_path, GOOD.replace("value: 0.5", "value: half").replace("scale: ordinal", "scale: x"))
    with pytest.raises(ConfigError) as caught:
        load_rubric(path)
    assert len(caught.value.problems) == 2


def test_a_wrong_level_is_told_alone_and_too_few_levels_in_plain_words(tmp_path):
    with pytest.raises(ConfigError) as caught:
        load_rubric(
            written(tmp_path, "rubric: r\ncriterion: x\nlevels: [{ name: a, value: x }, { name: b, value: 1 }]\n")
        )
    assert [problem.key for problem in caught.value.problems] == ["levels.0.value"]
    with pytest.raises(ConfigError, match="needs at least 2 entries"):
        load_rubric(written(tmp_path, "rubric: r\ncriterion: x\nlevels: [{ name: b, value: 1 }]\n"))


def test_a_comma_that_cuts_an_anchor_gets_the_right_hint(tmp_path):
    with pytest.raises(ConfigError, match="into quotes"):
        load_rubric(written(tmp_path, GOOD.replace("Nothing is solved.", "Nothing is solved, or wrongly.")))


def test_a_missing_file_is_a_message(tmp_path):
    with pytest.raises(ConfigError, match="can't be read"):
        load_rubric(tmp_path / "none.yaml")


@pytest.mark.parametrize("text", ["[" * 100, "- a", "", "\x00", "just words", "{[a]: b}"])
def test_what_is_no_rubric_is_refused_without_a_traceback(tmp_path, text):
    with pytest.raises(ConfigError):
        load_rubric(written(tmp_path, text))


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_bytes(b"rubric: \xff\xfe")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_rubric(path)
