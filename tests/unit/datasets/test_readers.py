"""Files of every kind, good and bad."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from evalwright.core.case import BadRow, Case
from evalwright.core.errors import ConfigError
from evalwright.core.suite import DatasetSpec
from evalwright.datasets import read_rows
from evalwright.datasets.rows import MAX_ROW_BYTES


def rows_of(folder: Path, name: str, data: bytes | str, **spec: object) -> list[Case | BadRow]:
    raw = data.encode() if isinstance(data, str) else data
    (folder / name).write_bytes(raw)
    return list(read_rows(DatasetSpec(file=name, source="suite.yaml", line=4, **spec), folder))


def good(rows: list[Case | BadRow]) -> list[Case]:
    return [row for row in rows if isinstance(row, Case)]


def bad(rows: list[Case | BadRow]) -> list[tuple[int, str]]:
    return [(row.line, row.reason) for row in rows if isinstance(row, BadRow)]


def test_jsonl_aliases_and_rest_becomes_metadata(tmp_path: Path) -> None:
    line = {"id": 7, "question": "Why?", "ideal": "Because.", "cluster": 3, "tags": "a, b", "locale": "de"}
    (case,) = good(rows_of(tmp_path, "d.jsonl", json.dumps(line)))
    assert case == Case(
        id="7", input="Why?", expected="Because.", cluster="3", tags=("a", "b"), metadata={"locale": "de"}
    )


def test_bom_and_unicode_line_ends_inside_texts(tmp_path: Path) -> None:
    text = "one\u2028two\u0085three"
    data = b"\xef\xbb\xbf" + json.dumps({"input": text}, ensure_ascii=False).encode() + b"\r\n\n" + b'{"input": "b"}'
    assert [case.input for case in good(rows_of(tmp_path, "d.jsonl", data))] == [text, "b"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"input": "a"', "no JSON: expecting ',' delimiter at column 14"),
        (b'{"input": "\xff"}', "no UTF-8: byte 0xff at position 12"),
        (b'{"input": 1, "v": NaN}', "NaN is no JSON value"),
        (b'{"input": 1, "v": -Infinity}', "-Infinity is no JSON value"),
        (b'{"input": 1, "v": 1e999}', "1e999 is too large"),
        (b'{"input": "a", "input": "b"}', "the key 'input' stands twice"),
        (b'{"x": 1}', "no input: the row has none of input, prompt"),
        (b'{"input": null}', "no input"),
        (b"[1]", "a row must be an object with named fields, this is a list"),
        (b'"text"', "this is a text"),
        (b'{"input": ' + b"[" * 3000 + b"]" * 3000 + b"}", "nested deeper than 100 levels"),
        (b'{"input": ' + b"9" * 5000 + b"}", "more than 4,000 digits"),
        (b'{"input": "a\x00b"}', "no JSON: invalid control character"),
        (b'{"id": true, "input": "a"}', "`id` must be a text or a whole number, not true or false"),
        (b'{"id": "a\\nb", "input": "a"}', "control character"),
        (b'{"id": "a", "input": "a", "tags": [1]}', "`tags` must be a list of words"),
        (b'{"id": "a", "input": "a", "cluster": [1]}', "`cluster` must be a text"),
        (b'{"id": "a", "input": "a", "metadata": [1]}', "`metadata` must be an object, not a list"),
    ],
)
def test_bad_lines_are_named_and_the_rest_is_read(tmp_path: Path, line: bytes, reason: str) -> None:
    rows = rows_of(tmp_path, "d.jsonl", b'{"id": "one", "input": "x"}\n' + line + b'\n{"id": "three", "input": "y"}\n')
    assert [case.id for case in good(rows)] == ["one", "three"]
    ((number, found),) = bad(rows)
    assert number == 2
    assert reason in found


def test_brackets_inside_texts_are_no_nesting(tmp_path: Path) -> None:
    text = '[{"' * 200 + "\\"
    assert good(rows_of(tmp_path, "d.jsonl", json.dumps({"input": text})))[0].input == text


def test_a_row_over_the_limit_is_set_aside_and_the_next_is_read(tmp_path: Path) -> None:
    data = b'{"input": "' + b"x" * (MAX_ROW_BYTES + 10) + b'"}\n{"input": "small"}\n'
    rows = rows_of(tmp_path, "d.jsonl", data)
    assert bad(rows) == [(1, "the row is larger than 16 MiB")]
    assert [case.input for case in good(rows)] == ["small"]
    assert isinstance(rows[0], BadRow)
    assert len(rows[0].text) == 2000


def test_a_50_mb_field_costs_little_memory(tmp_path: Path) -> None:
    with (tmp_path / "d.jsonl").open("wb") as file:
        file.write(b'{"input": "')
        for _ in range(50):
            file.write(b"x" * 1_000_000)
        file.write(b'"}\n{"input": "small"}\n')
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from evalwright.core.suite import DatasetSpec; from evalwright.datasets import read_rows\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "before = peak(); rows = list(read_rows(DatasetSpec(file='d.jsonl'), Path(sys.argv[1])))\n"
        "print(len(rows), peak() - before)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    count, grown = map(int, done.stdout.split())
    assert count == 2
    assert grown < 60


def test_half_a_surrogate_pair(tmp_path: Path) -> None:
    ((line, reason),) = bad(rows_of(tmp_path, "d.jsonl", b'{"input": "\\ud800"}'))
    assert line == 1
    assert "half a surrogate pair" in reason


def test_gzip(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, "d.jsonl.gz", gzip.compress(b'{"input": "a"}\n{"input": "b"}'))
    assert [case.input for case in good(rows)] == ["a", "b"]


def test_a_cut_off_gzip_is_told(tmp_path: Path) -> None:
    whole = gzip.compress(b"\n".join(json.dumps({"input": f"{n * 7919}"}).encode() for n in range(2000)))
    with pytest.raises(ConfigError, match="damaged or cut off"):
        rows_of(tmp_path, "d.jsonl.gz", whole[: len(whole) // 2])
    with pytest.raises(ConfigError, match="can't be read"):
        rows_of(tmp_path, "e.jsonl.gz", b"no gzip at all")


def test_zstd(tmp_path: Path) -> None:
    texts = ["plain", "ünïcode \u2028", 'quote " and , comma', "tab\tand \\ back"]
    lines = [json.dumps({"id": str(n), "input": text}, ensure_ascii=False) for n, text in enumerate(texts)]
    plain = tmp_path / "plain.txt"
    plain.write_text("\n".join([*lines, "", "{broken"]))
    with duckdb.connect() as duck:
        duck.execute(
            f"COPY (SELECT unnest(string_split(content, chr(10))) FROM read_text('{plain}')) TO "
            f"'{tmp_path}/d.jsonl.zst' (FORMAT csv, COMPRESSION zstd, HEADER false, QUOTE '', ESCAPE '', "
            "DELIMITER '\x01')"
        ).fetchall()
    rows = list(read_rows(DatasetSpec(file="d.jsonl.zst"), tmp_path))
    assert [case.input for case in good(rows)] == texts
    assert [line for line, _ in bad(rows)] == [6]


def test_json_list_with_line_numbers(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, "d.json", '[\n  {"id": "a", "input": 1},\n  {"id": "b"},\n\n  {"id": "c", "input": 3}\n]')
    assert [case.id for case in good(rows)] == ["a", "c"]
    assert [line for line, _ in bad(rows)] == [3]


def test_json_object_with_a_list_and_jsonl_named_json(tmp_path: Path) -> None:
    assert len(rows_of(tmp_path, "a.json", '{"version": 1, "cases": [{"input": "x"}]}')) == 1
    assert len(rows_of(tmp_path, "b.json", '{"input": "x"}\n{"input": "y"}\n')) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"input": 1},\n {]', "no JSON"),
        ('{"input": 1}', "no list of rows"),
        ('[{"input": NaN}]', "no JSON"),
        ("", "no JSON"),
    ],
)
def test_a_broken_json_file_is_told_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        rows_of(tmp_path, "d.json", text)


def test_csv_quotes_separators_and_line_numbers(tmp_path: Path) -> None:
    text = 'id;question;answer\n1;"two\nlines; and ""quotes""";yes\n\n2;plain;\n3;too;many;cells\n4;last;no\n'
    rows = rows_of(tmp_path, "d.csv", text)
    assert good(rows) == [
        Case(id="1", input='two\nlines; and "quotes"', expected="yes"),
        Case(id="2", input="plain"),
        Case(id="4", input="last", expected="no"),
    ]
    assert bad(rows) == [(6, "4 cells, but the header has 3")]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_csv_separators_are_told_from_the_header(tmp_path: Path, mark: str) -> None:
    text = mark.join(["id", "input", "locale"]) + "\r\n" + mark.join(["a", "x.y", "de"]) + "\r\n"
    assert good(rows_of(tmp_path, "d.csv", text)) == [Case(id="a", input="x.y", metadata={"locale": "de"})]


def test_csv_bad_rows(tmp_path: Path) -> None:
    data = b'id,input\na,\xff\xfe\nb,x\x00y\nc,"q"uote\nd,\ne,fine\nf,"open\nrest'
    rows = rows_of(tmp_path, "d.csv", data)
    assert [case.id for case in good(rows)] == ["e"]
    found = dict(bad(rows))
    assert "no UTF-8" in found[2]
    assert "NUL" in found[3]
    assert "no CSV" in found[4]
    assert "no input" in found[5]
    assert "not closed; the file ends at line 8" in found[7]


def test_csv_with_a_twice_named_column_or_in_utf16(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="names `a` twice"):
        rows_of(tmp_path, "d.csv", "a,b,a\n1,2,3\n")
    with pytest.raises(ConfigError, match="UTF-16"):
        rows_of(tmp_path, "e.csv", "id,input\na,b\n".encode("utf-16"))


def test_csv_large_cell(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, "d.csv", "id,input\na," + "x" * 1_000_000 + "\nb," + "y" * (MAX_ROW_BYTES + 1) + "\nc,z\n")
    assert [case.id for case in good(rows)] == ["a", "c"]
    assert bad(rows) == [(3, "the row is larger than 16 MiB")]


def write_parquet(path: Path, select: str) -> None:
    with duckdb.connect() as duck:
        duck.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)").fetchall()


def test_parquet_types(tmp_path: Path) -> None:
    write_parquet(
        tmp_path / "d.parquet",
        "SELECT 'a' AS id, {'q': 'x', 'n': 1} AS input, DATE '2026-08-01' AS day, 'nan'::DOUBLE AS gap, "
        "1.50::DECIMAL(5,2) AS price, ['t', 'u'] AS tags, NULL AS nothing",
    )
    (case,) = good(list(read_rows(DatasetSpec(file="d.parquet"), tmp_path)))
    assert case.input == {"q": "x", "n": 1}
    assert case.tags == ("t", "u")
    assert case.metadata == {"day": "2026-08-01", "price": 1.5}


def test_parquet_rows_without_json_form_are_bad(tmp_path: Path) -> None:
    write_parquet(
        tmp_path / "d.parquet",
        "SELECT * FROM (VALUES ('a', 1.0::DOUBLE, NULL), ('b', 'inf'::DOUBLE, NULL), ('c', 1.0, 'x'::BLOB)) "
        "t(id, input, b)",
    )
    rows = list(read_rows(DatasetSpec(file="d.parquet"), tmp_path))
    assert [case.id for case in good(rows)] == ["a"]
    assert bad(rows) == [(3, "holds an infinite number"), (4, "holds a value of type bytes, which has no JSON form")]


def test_no_parquet_at_all(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read as Parquet"):
        rows_of(tmp_path, "d.parquet", b"PAR1 no")


def test_inline_rows() -> None:
    spec = DatasetSpec(cases=({"id": "a", "input": "x"}, {"nothing": 1}), source="s.yaml", line=9)
    rows = list(read_rows(spec, Path()))
    assert good(rows) == [Case(id="a", input="x")]
    assert isinstance(rows[1], BadRow)
    assert (rows[1].line, rows[1].source, rows[1].text) == (9, "s.yaml", "cases[1]")


def test_a_missing_file_names_those_that_come_close(tmp_path: Path) -> None:
    (tmp_path / "cases.jsonl").write_text("")
    with pytest.raises(ConfigError) as caught:
        read_rows(DatasetSpec(file="case.jsonl", source="suite.yaml", line=4), tmp_path)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.key) == ("suite.yaml", 4, "dataset.file")
    assert problem.hint == "did you mean `cases.jsonl`?"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (DatasetSpec(file="sub"), "is a folder"),
        (DatasetSpec(file="x.txt"), "can't be told from its name"),
        (DatasetSpec(file="x.txt", format="xml"), "unknown format `xml`"),
        (DatasetSpec(file="no/x.jsonl"), "there is no dataset file"),
        (DatasetSpec(file="x.txt", cases=({},)), "not both"),
        (DatasetSpec(file="x.txt", format="jsonl", fields={"inptu": "q"}), "did you mean `input`"),
        (DatasetSpec(file="x.txt", format="jsonl", fields={"input": 3}), "is mapped to a number"),
    ],
)
def test_wrong_dataset_sections(tmp_path: Path, spec: DatasetSpec, message: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "x.txt").write_text('{"input": 1}')
    with pytest.raises(ConfigError, match=message):
        read_rows(spec, tmp_path)


def test_an_unreadable_file_is_a_message(tmp_path: Path) -> None:
    loop = tmp_path / "d.jsonl"
    loop.write_text('{"input": "a"}')
    rows = read_rows(DatasetSpec(file="d.jsonl"), tmp_path)
    loop.unlink()
    with pytest.raises(ConfigError, match="can't be read: No such file"):
        list(rows)
