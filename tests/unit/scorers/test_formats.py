"""Well-formedness of JSON, YAML, XML, HTML, CSV, Markdown, Python and SQL."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from evalwright.core.component import BindContext
from evalwright.core.errors import ConfigError
from evalwright.scorers import ValidFormat, ValidSql
from evalwright.scorers.base import OptionError
from tests.unit.scorers.support import judged

TABLE = "| a | b |\n|---|---|\n| 1 | 2 |\n"
GOOD = [
    ("json", '{"a": [1, 2]}'),
    ("json", "Here:\n```json\n[1]\n```\n"),
    ("yaml", "a: 1\nb: [x, y]\n"),
    ("xml", "<a b='1'><c/>text</a>"),
    ("html", "<p>One<p>Two <br> <ul><li>x<li>y</ul><img src='a'>"),
    ("html", "```html\n<b>x</b>\n```"),
    ("csv", 'a,b\n1,"x, y"\n'),
    ("markdown", f"# Title\n\n{TABLE}\n```py\nx = '|'\n```\n[link](http://a.b)\n"),
    ("markdown", "plain text - nothing else | here\n"),
    ("python", "def f(x):\n    return x + 1\n"),
]
BAD = [
    ("json", "{'a': 1}", "JSON is malformed"),
    ("json", "[" * 100_000, "too deeply"),
    ("yaml", "a: [1, 2\nb: 3", "line"),
    ("xml", "<a><b></a>", "line 1: mismatched tag"),
    ("xml", "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "a document type is not allowed"),
    ("html", "<div><b>x</div>", "line 1: </div> closes nothing"),
    ("html", "<div>\n<b>x</b>", "line 1: <div> is not closed"),
    ("html", "just words", "there is no element"),
    ("html", "<a href='x' href='y'>z</a>", "<a> has an attribute twice"),
    ("csv", "a,b\n1,2,3\n", "line 2: the row has 3 fields, the first row 2"),
    ("csv", 'a,b\n1,"x\n', "unexpected end of data"),
    ("markdown", "```py\nx = 1\n", "line 1: the code block is not closed"),
    ("markdown", TABLE + "| 1 |\n", "line 4: the row has 1 cells, the table 2"),
    ("markdown", "| a |\n|---|---|\n", "line 1: the table's head has 1 cells, its rule 2"),
    ("markdown", "[x]()", "line 1: the link has no address"),
    ("markdown", "see [x](http://a.b", "line 1: the link is not closed"),
    ("python", "def f(:\n", "line 1: invalid syntax"),
    ("python", "(" * 500, "too many nested parentheses"),
    ("python", "x = 'a\0b'", "null bytes"),
    ("yaml", "", "the answer is empty"),
]  # fmt: skip


@pytest.mark.parametrize(("format_", "text"), GOOD)
def test_well_formed(format_: Any, text: str) -> None:
    score = judged(ValidFormat(format_), text)
    assert score.value == 1.0, score.reason


@pytest.mark.parametrize(("format_", "text", "reason"), BAD)
def test_what_is_wrong_is_said(format_: Any, text: str, reason: str) -> None:
    score = judged(ValidFormat(format_), text)
    assert score.value == 0.0
    assert reason in score.reason


def test_the_name_tells_the_format_and_lines_are_shown() -> None:
    assert ValidFormat("csv").info.name == "valid_csv"
    assert judged(ValidFormat("csv"), "a,b\n1,2,3\n").evidence[0].text == "1,2,3"
    assert judged(ValidFormat("json", fenced=False), "```json\n1\n```").value == 0.0


TABLES = "CREATE TABLE orders (id INTEGER, customer TEXT, total DECIMAL(9, 2))"


def test_sql_parses_and_fits_the_tables() -> None:
    assert judged(ValidSql(), "SELECT * FROM anything WHERE x ILIKE 'a%' LIMIT 3").value == 1.0
    assert "syntax error" in judged(ValidSql(), "SELEC 1").reason
    assert judged(ValidSql(), "").reason == "there is no statement"
    fenced = "Try this:\n```sql\nSELECT customer, sum(total) FROM orders GROUP BY customer;\n```"
    assert judged(ValidSql(tables=TABLES), fenced).value == 1.0
    assert '"totals"' in judged(ValidSql(tables=TABLES), "SELECT totals FROM orders").reason
    assert judged(ValidSql(tables=TABLES), "SELECT 1 FROM missing").value == 0.0


@pytest.mark.parametrize(
    "query", ["DELETE FROM orders", "SELECT 1; DROP TABLE orders", "ATTACH 'x.db'", "SET threads = 9"]
)
def test_sql_that_writes_is_wrong_unless_allowed(query: str) -> None:
    assert "more than reading" in judged(ValidSql(), query).reason
    assert judged(ValidSql(read_only=False), query).value == 1.0


def test_sql_reaches_nothing_and_runs_nothing(tmp_path: Path) -> None:
    scorer = ValidSql(tables=TABLES, read_only=False)
    (tmp_path / "secret.csv").write_text("a\n1\n")
    assert "disabled" in judged(scorer, f"SELECT * FROM read_csv('{tmp_path}/secret.csv')").reason
    assert judged(scorer, "DELETE FROM orders").value == 1.0
    assert judged(scorer, "SELECT list_sum(range(1000000000))").value == 1.0
    for query in ("(" * 5_000, "SELECT 1" + " UNION SELECT 1" * 500, "SELECT 1 -- " + "x" * 30_000):
        assert judged(scorer, query).value == 0.0
    assert pickle.loads(pickle.dumps(scorer)) == scorer


def test_sql_tables_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "tables.sql").write_text(TABLES)
    scorer = ValidSql(file="tables.sql").bind(BindContext(base_dir=tmp_path))
    assert judged(scorer, "SELECT id FROM orders").value == 1.0
    assert ValidSql().bind(BindContext(base_dir=tmp_path)) == ValidSql()
    (tmp_path / "broken.sql").write_text("CREATE TABEL x")
    for name in ("broken.sql", "absent.sql"):
        with pytest.raises(ConfigError, match=name):
            ValidSql(file=name).bind(BindContext(base_dir=tmp_path))
    with pytest.raises(OptionError, match="not both"):
        ValidSql(tables=TABLES, file="x")
