"""Hostile and broken files on the way into a golden set: a clear message, little memory, the set as it was."""

import gzip
import json
import os
import resource
import subprocess
import sys
import zipfile

import duckdb
import openpyxl
import pytest

from tests.e2e.conftest import folder  # noqa: F401 - the fixture


@pytest.fixture
def kept(folder):  # noqa: F811
    folder.run("dataset", "create", "q", "--from", "cases.jsonl")
    return folder


def version(place):
    return place.run("dataset", "show", "q", "--json").json["version"]["number"]


def parquet(path, select):
    with duckdb.connect() as duck:
        duck.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")


def peak_of(place, *words):
    """Exit code, messages and peak memory (MiB) of a command in a process of its own."""
    code = "import sys, re; from evalwright.cli.main import _call; sys.argv = ['evalwright', *sys.argv[1:]]; "
    code += "code = _call(); peak = re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]; "
    code += "print('PEAK', int(peak) // 1024, file=sys.stderr); sys.exit(code)"
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=place.path, env={**os.environ}, capture_output=True, text=True
    )
    return done.returncode, done.stderr, int(done.stderr.rpartition("PEAK ")[2])


BROKEN = {
    "deep.jsonl": ("[" * 5_000 + "]" * 5_000 + "\n").encode(),
    "twice.jsonl": b'{"input": "a", "input": "b"}\n',
    "latin.jsonl": '{"input": "Größe"}\n'.encode("latin-1"),
    "utf16.jsonl": '{"input": "a"}\n'.encode("utf-16"),
    "half.jsonl": b'{"input": "a", "expe',
    "nothing.jsonl": b"",
    "binary.jsonl": bytes(range(256)) * 10,
    "cut.jsonl.gz": gzip.compress(b'{"input": "a"}\n' * 50_000)[:-40],
    "no.parquet": b"PAR1 this is none PAR1",
    "no.xlsx": b"PK\x03\x04 this is none",
    "utf16.csv": "id,input\n1,a\n".encode("utf-16"),
    "twice.csv": b"input,input\na,b\n",
    "deep.json": (b'{"a":' * 3_000 + b"1" + b"}" * 3_000),
    "no.eval": b"PK\x05\x06" + b"\0" * 18,
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_gets_a_message_and_the_set_is_as_it_was(kept, name):
    (kept.path / name).write_bytes(BROKEN[name])
    called = kept.run("import", name, "--into", "q")
    assert called.code == 2, called.out
    assert name in called.err
    assert "Traceback" not in called.err
    assert version(kept) == 1


def test_mixed_rows_keep_the_good_and_name_the_bad(kept):
    rows = [{"id": "m1", "input": "good"}, {"id": "m2", "input": 5}, {"id": "m3", "input": None}, ["no"], "no", 7]
    text = (
        "".join(json.dumps(row) + "\n" for row in rows)
        + '{"id": "m4", "inp\n{"input": NaN}\n{"id": "m5", "input": "x"}'
    )
    kept.write("mixed.jsonl", text)
    called = kept.run("import", "mixed.jsonl", "--into", "q", "--output", "out", "--json")
    assert (called.json["cases"], called.json["bad"]) == (3, 6)
    lines = [json.loads(line) for line in (kept.path / "out" / "quarantine.jsonl").read_text().splitlines()]
    assert [line["line"] for line in lines] == [3, 4, 5, 6, 7, 8]
    assert all(line["reason"] for line in lines)


def test_a_half_written_gzip_keeps_its_good_rows_for_a_retry(kept):
    rows = "".join(json.dumps({"id": f"g{n}", "input": f"text {n} {n * n}"}) + "\n" for n in range(20_000))
    (kept.path / "half.jsonl.gz").write_bytes(gzip.compress(rows.encode())[:-20_000])
    called = kept.run("import", "half.jsonl.gz", "--into", "q")
    assert (called.code, version(kept)) == (2, 1)
    assert "incomplete.jsonl: import them" in called.err
    incomplete = kept.path / ".evalwright" / "imports" / "incomplete.jsonl"
    again = kept.run("import", str(incomplete), "--into", "q", "--json").json
    assert 10_000 < again["cases"] < 20_000
    assert version(kept) == 2


def test_a_ten_megabyte_cell_is_taken_from_tables_and_refused_from_workbooks(kept):
    long = "x" * 10_000_000
    kept.write("cell.csv", f'id,input\nlong,"{long}"\nshort,a\n')
    code, err, peak = peak_of(kept, "import", "cell.csv", "--into", "q")
    assert (code, peak < 400) == (0, True), (err, peak)
    book = openpyxl.Workbook()
    book.active.append(["id", "input"])
    book.active.append(["a", "=1+1"])
    book.active.append(["b", "+cmd|' /C calc'!A0"])
    book.save(kept.path / "formulas.xlsx")
    called = kept.run("import", "formulas.xlsx", "--output", "out", "--json")
    assert (called.json["cases"], called.json["bad"]) == (1, 1)
    kept.run("dataset", "export", "out/cases.jsonl", "--format", "csv", "--output", "out.csv")
    assert "'+cmd" in (kept.path / "out.csv").read_text()


@pytest.mark.slow
def test_bombs_are_refused_in_little_memory(kept):
    parquet(kept.path / "bomb.parquet", "SELECT i AS id, repeat('x', 10000000) AS input FROM range(5000) t(i)")
    with gzip.open(kept.path / "bomb.jsonl.gz", "wb", compresslevel=1) as file:
        row = json.dumps({"input": "0" * 1_000_000}).encode() + b"\n"
        for _ in range(1_100):
            file.write(row)
    with gzip.open(kept.path / "line.jsonl.gz", "wb", compresslevel=1) as file:
        for _ in range(1_100):
            file.write(b"0" * 1_000_000)
    with zipfile.ZipFile(kept.path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 600_000_000)
    for name, said in [("bomb.parquet", "far more than its size"), ("bomb.jsonl.gz", "far more than its size"),
                       ("line.jsonl.gz", "far more than its size"), ("bomb.xlsx", "is refused")]:  # fmt: skip
        assert (kept.path / name).stat().st_size < 20_000_000
        ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        code, err, peak = peak_of(kept, "import", name, "--into", "q")
        assert (code, said in err, peak < ours + 300) == (2, True, True), (name, err, peak)
        assert version(kept) == 1


def test_paths_in_an_archive_go_nowhere(kept):
    with zipfile.ZipFile(kept.path / "log.eval", "w") as archive:
        archive.writestr("../../escaped.json", "{}")
        archive.writestr("header.json", "{}")
    called = kept.run("import", "log.eval", "--into", "q")
    assert (called.code, version(kept)) == (2, 1)
    assert not (kept.path.parent / "escaped.json").exists()
