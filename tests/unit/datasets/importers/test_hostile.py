"""Bombs, tricks and broken files: a clear refusal, nothing kept."""

from __future__ import annotations

import gzip
import json
import struct
import zipfile
from pathlib import Path

import duckdb
import pytest

from evalwright.core.case import BadRow, Case
from evalwright.core.errors import ConfigError
from evalwright.datasets.importers import Source, guess_format, read_import
from evalwright.datasets.importers import archive as archive_module
from evalwright.datasets.importers import source as source_module
from evalwright.services.importing import ImportPlan, import_file

HEADER = {"version": 2, "status": "success", "eval": {"task": "t", "model": "m"}, "stats": {}}


def sample(name: str, epoch: int = 1) -> dict[str, object]:
    output = {"completion": "42", "choices": [{"message": {"role": "assistant", "content": "42"}}]}
    scores = {"match": {"value": "C"}}
    return {"id": name, "epoch": epoch, "input": "6*7?", "target": "42", "output": output, "scores": scores}


def log(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members.items():
            made.writestr(name, data)
    return path


def items(path: Path) -> list[object]:
    return list(read_import(Source(path), guess_format(path)))


def refused(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        items(path)
    return caught.value.problems[0].message


def test_a_member_that_unpacks_to_a_thousand_times_its_size(tmp_path: Path) -> None:
    path = log(tmp_path / "a.eval", {"header.json": b"{}", "samples/1_epoch_1.json": b" " * (20 << 20)})
    assert "times its size" in refused(path)


def test_a_member_larger_than_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "MAX_MEMBER", 1000)
    path = log(tmp_path / "a.eval", {"header.json": json.dumps({"x": list(range(900))}).encode()})
    assert "larger than" in refused(path)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "C:/x", "samples/../../x.json"])
def test_paths_that_leave_the_archive(tmp_path: Path, name: str) -> None:
    assert "leaves the archive" in refused(log(tmp_path / "a.eval", {name: b"{}"}))


def test_no_archive_and_half_an_archive(tmp_path: Path) -> None:
    whole = log(tmp_path / "a.eval", {"header.json": json.dumps(HEADER).encode()}).read_bytes()
    (tmp_path / "b.eval").write_bytes(whole[: len(whole) // 2])
    assert "zip archive" in refused(tmp_path / "b.eval")
    (tmp_path / "c.eval").write_bytes(b"hello")
    assert "zip archive" in refused(tmp_path / "c.eval")


def test_a_broken_sample_is_set_aside_and_the_others_stay(tmp_path: Path) -> None:
    members = {
        "header.json": json.dumps(HEADER).encode(),
        "samples/1_epoch_1.json": json.dumps(sample("1")).encode(),
        "samples/2_epoch_1.json": b'{"id": "2", ',
    }
    found = items(log(tmp_path / "a.eval", members))
    assert [c.id for c in found if isinstance(c, Case)] == ["1"]
    (bad,) = (b for b in found if isinstance(b, BadRow))
    assert "samples/2_epoch_1.json: no JSON" in bad.reason


def test_the_last_member_of_a_name_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.eval"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("header.json", json.dumps({**HEADER, "status": "started"}))
        with pytest.warns(UserWarning, match="Duplicate name"):
            made.writestr("header.json", json.dumps(HEADER))
    figures = items(path)[-1]
    assert figures.values["status"] == "success"


def test_zstd_members(tmp_path: Path) -> None:
    path = zstd_log(tmp_path, {"header.json": HEADER, "samples/1_epoch_1.json": sample("1")})
    found = items(path)
    assert [c.expected for c in found if isinstance(c, Case)] == ["42"]


def test_a_zstd_member_larger_than_the_directory_says(tmp_path: Path) -> None:
    big = {**sample("1"), "metadata": {"text": "x" * 100_000}}
    path = zstd_log(tmp_path, {"header.json": HEADER, "samples/1_epoch_1.json": big}, claimed=100)
    found = items(path)
    assert next(b.reason for b in found if isinstance(b, BadRow)).startswith("samples/1_epoch_1.json: ")
    assert not [c for c in found if isinstance(c, Case)]


def zstd_log(folder: Path, members: dict[str, dict[str, object]], *, claimed: int | None = None) -> Path:
    """An archive with zstd members, which `zipfile` of Python 3.11 can't write: made by hand."""
    body, directory = b"", b""
    for name, value in members.items():
        packed, size = zstd(folder, value)
        size = claimed if claimed is not None and name.startswith("samples") else size
        fields = (20, 0, 93, 0, 33, 0, len(packed), size, len(name), 0)
        directory += (
            struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 20, *fields, 0, 0, 0, 0, len(body)) + name.encode()
        )
        body += struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", *fields) + name.encode() + packed
    count = len(members)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(body), 0)
    path = folder / "z.eval"
    path.write_bytes(body + directory + end)
    return path


def zstd(folder: Path, value: dict[str, object]) -> tuple[bytes, int]:
    plain, packed = folder / "member.json", folder / "member.json.zst"
    plain.write_text(json.dumps(value))
    with duckdb.connect() as connection:
        query = f"SELECT content AS c FROM read_text('{plain}')"
        how = "FORMAT csv, COMPRESSION zstd, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x02'"
        connection.execute(f"COPY ({query}) TO '{packed}' ({how})")
    return packed.read_bytes(), plain.stat().st_size + 1


def test_a_gzip_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "MAX_DOCUMENT", 1 << 20)
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(b"[" + b" " * (8 << 20) + b"]"))
    with pytest.raises(ConfigError, match="larger than 1 MiB when unpacked"):
        Source(path).data(1 << 20)


def test_a_cut_off_gzip_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(json.dumps([{"input": str(n)} for n in range(5000)]).encode())[:-200])
    with pytest.raises(ConfigError, match="damaged or cut off"):
        Source(path).document()


def test_deep_json(tmp_path: Path) -> None:
    for depth in (150, 100_000):
        path = tmp_path / "a.json"
        path.write_text("[" * depth + "]" * depth)
        assert "nested deeper" in refused(path)


def test_a_key_twice(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"testCases": [], "testCases": [1]}')
    assert "stands twice" in refused(path)


def test_yaml_that_multiplies(tmp_path: Path) -> None:
    path = tmp_path / "promptfooconfig.yaml"
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    path.write_text("\n".join([*lines, "prompts: *a8", "tests: []"]))
    assert "aliases multiply" in refused(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prompts: !!python/object/apply:os.system [ls]\ntests: []", "no YAML"),
        ("prompts: [a\ntests: b: c", "no YAML"),
        ("prompts: a\nprompts: b\ntests: []", "the key 'prompts' stands twice"),
        ("prompts: " + "[" * 200 + "]" * 200 + "\ntests: []", "nested deeper"),
    ],
)
def test_yaml_that_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "promptfooconfig.yaml"
    path.write_text(text)
    assert said in refused(path)


def test_files_outside_of_the_folder_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("q\nx\n")
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "promptfooconfig.yaml").write_text("prompts: ['{{q}}']\ntests: file://../secret.csv\n")
    found = items(inner / "promptfooconfig.yaml")
    assert [b.reason for b in found if isinstance(b, BadRow)] == [
        "the tests are in `file://../secret.csv`, which is not beside this file"
    ]


def test_a_failed_import_keeps_what_was_there(tmp_path: Path) -> None:
    out = tmp_path / "out"
    good, broken = tmp_path / "good.jsonl", tmp_path / "broken.json"
    good.write_text('{"input": "a", "ideal": "b"}\n')
    broken.write_text('{"testCases": [')
    with import_file(ImportPlan(path=good)) as found:
        found.save(out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(ConfigError), import_file(ImportPlan(path=broken)) as found:
        found.save(out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
