"""Stand-ins: consistent, keyed, everywhere; files whole or not at all; originals only for who has the vault."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from evalwright.core.case import Case
from evalwright.core.errors import ConfigError, UsageError
from evalwright.datasets.redaction import Redactor
from evalwright.services.importing import ImportPlan, import_file
from evalwright.services.redacting import RedactPlan, redact_file, restore_file, write_vault

KEY = b"sixteen bytes or more"


def test_one_person_keeps_one_stand_in_in_every_field() -> None:
    redactor = Redactor(KEY)
    case = Case(
        id="1",
        input=[{"role": "user", "content": "I am ann@acme.io, 4539 5787 6362 1486"}],
        expected={"to": "Ann@Acme.io"},
        metadata={"card": 4539578763621486, "ann@acme.io": True},
        cluster="ann@acme.io",
    )
    clean = redactor.case(case)
    email = clean.expected["to"]
    assert email.startswith("[EMAIL-")
    assert email in clean.input[0]["content"]
    assert email in clean.metadata
    assert clean.cluster == email
    assert clean.metadata["card"] in clean.input[0]["content"]
    assert "acme" not in repr(clean)
    assert redactor.report.replaced == {"email": 4, "card": 2}
    assert redactor.report.distinct == {"email": 1, "card": 1}


def test_another_key_gives_another_stand_in() -> None:
    assert Redactor(KEY).text("ann@acme.io") != Redactor(KEY + b"x").text("ann@acme.io")
    with pytest.raises(ValueError, match="at least 16"):
        Redactor(b"short")


def test_a_text_redacted_twice_stays_as_it_is() -> None:
    redactor = Redactor(KEY)
    once = redactor.text("ann@acme.io, +44 7700 900123, 93.184.216.34, 460-89-9847")
    assert redactor.text(once) == once


def test_what_is_only_possible_is_left_and_listed() -> None:
    redactor = Redactor(KEY)
    assert redactor.text("host 10.1.2.3", place="line 4") == "host 10.1.2.3"
    (left,) = redactor.report.leftovers
    assert (left.place, left.kind, left.shown) == ("line 4", "ip", "1….3")


@pytest.mark.parametrize("suffix", ["jsonl", "json", "csv", "txt"])
def test_files_of_every_kind(tmp_path: Path, suffix: str) -> None:
    path, out = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    rows = [
        {"id": "1", "text": 'say "hi" to ann@acme.io', "other": ""},
        {"id": "2", "text": "no", "other": "bob@acme.io"},
    ]
    texts = {
        "jsonl": "".join(json.dumps(row) + "\n" for row in rows),
        "json": json.dumps(rows),
        "csv": 'id,text,other\n1,"say ""hi"" to ann@acme.io",\n2,no,bob@acme.io\n',
        "txt": "ann@acme.io\nbob@acme.io\n",
    }
    path.write_text(texts[suffix])
    redactor = RedactPlan(key=KEY, keep=True).redactor()
    report = redact_file(path, out, redactor)
    assert report.replaced == {"email": 2}
    assert "acme" not in out.read_text()
    write_vault(tmp_path / "vault.json", redactor)
    assert stat.S_IMODE((tmp_path / "vault.json").stat().st_mode) == 0o600
    restore_file(out, tmp_path / f"c.{suffix}", tmp_path / "vault.json")
    assert (tmp_path / f"c.{suffix}").read_text().count("acme.io") == 2
    with pytest.raises(UsageError, match="already"):
        write_vault(tmp_path / "vault.json", redactor)


def test_a_broken_row_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": "ann@acme.io"}\n{"a": \n')
    with pytest.raises(ConfigError, match="no JSON"):
        redact_file(path, tmp_path / "b.jsonl", RedactPlan(key=KEY).redactor())
    assert not (tmp_path / "b.jsonl").exists()


def test_an_import_redacts_cases_answers_and_the_quarantine(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(
        '{"user_input": "from ann@acme.io", "response": "Dear ann@acme.io"}\n{"user_input": "bob@acme.io"\n'
    )
    with import_file(ImportPlan(path=path, redact=RedactPlan(key=KEY))) as found:
        files = found.save(tmp_path / "out")
        assert found.report.redacted is not None
    assert {file.name for file in files} >= {"cases.jsonl", "outputs.jsonl", "quarantine.jsonl"}
    assert not [file.name for file in files if "acme" in file.read_text()]
