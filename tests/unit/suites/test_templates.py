from __future__ import annotations

import jsonschema
import pytest

from evalwright.core.errors import UsageError
from evalwright.datasets import read_rows
from evalwright.services.vocabulary import vocabulary
from evalwright.suites import load_suite, validate_suite
from evalwright.suites.schema import suite_schema
from evalwright.suites.templates import TEMPLATES, write_template
from evalwright.suites.yaml_reader import read_yaml


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_a_suite_without_problems_whose_cases_can_be_read(name, tmp_path):
    written = write_template(name, tmp_path / "new")
    suite = written[0]
    assert suite.stem == "suite"
    assert all(path.is_file() for path in written)
    assert validate_suite(suite, vocabulary(), environment={}, import_code=True) == []
    loaded = load_suite(suite, vocabulary(), environment={})
    assert loaded.suite.gate
    assert loaded.suite.slices
    assert loaded.target.build() is not None
    cases = loaded.suite.cases or list(read_rows(loaded.dataset, loaded.base_dir))
    assert len(cases) >= 8
    assert all(hasattr(case, "input") for case in cases)


@pytest.mark.parametrize("name", [name for name in TEMPLATES if name != "python"])
def test_a_template_follows_the_schema_editors_use(name, tmp_path):
    suite = write_template(name, tmp_path)[0]
    jsonschema.Draft202012Validator(suite_schema(vocabulary())).validate(read_yaml(suite).data)


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "app.py").write_text("mine")
    with pytest.raises(UsageError, match=r"holds `app\.py` already"):
        write_template("rag", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["app.py"]
    assert (tmp_path / "app.py").read_text() == "mine"


def test_an_unknown_template_names_those_there_are(tmp_path):
    with pytest.raises(UsageError) as error:
        write_template("rags", tmp_path)
    assert error.value.hint == "did you mean `rag`? allowed: chat, classifier, python, rag"
