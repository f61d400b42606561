"""Files of promptfoo and Label Studio, imported and exported again: equal where the format can hold it."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from evalwright.core.case import Case
from evalwright.datasets import prepare
from evalwright.datasets.exporters import export_cases
from evalwright.datasets.importers import Check, Source, guess_format, read_import
from evalwright.store.blobs import Blobs
from tests.shared_data import shared_root

pytestmark = pytest.mark.shared
ROOT = shared_root() / "data" / "importer_fixtures"
TASKS = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("label_studio/*.json"))
CONFIGS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.glob("promptfoo_*/**/*.yaml"), *ROOT.glob("promptfoo_*/**/eval*.json")]
)


def read(path):
    items = list(read_import(Source(path), guess_format(path)))
    cases = {item.id: item for item in items if isinstance(item, Case)}
    return cases, [item for item in items if isinstance(item, Check)]


def exported(cases, kind, folder):
    made = prepare(list(cases.values()), Blobs(folder / "blobs"))
    export_cases(made.case_file, kind, folder / "out.json")
    return folder / "out.json"


@pytest.mark.parametrize("name", TASKS or ["none"])
def test_label_studio_tasks_with_annotations_and_predictions_are_equal(name):
    path = ROOT / name
    tasks = json.loads(path.read_text()) if path.is_file() else pytest.skip("no reference data")
    with TemporaryDirectory() as folder:
        again = json.loads(exported(read(path)[0], "label-studio", Path(folder)).read_text())
    assert again == tasks


@pytest.mark.parametrize("name", CONFIGS or ["none"])
def test_promptfoo_tests_mean_the_same_after_a_round_trip(name):
    path = ROOT / name
    if not path.is_file():
        pytest.skip("no reference data")
    cases, checks = read(path)
    if not cases:
        pytest.skip("it holds no tests")
    with TemporaryDirectory() as folder:
        out = exported(cases, "promptfoo", Path(folder))
        again, same = read(out)
    assert again == cases
    assert {check.kind for check in same} == {check.kind for check in checks}
