"""Published agreement figures, through the product's own table reader and services."""

from __future__ import annotations

import gzip
import json

import pytest

from evalwright.services.reviewing.agreement import table_agreement
from evalwright.services.reviewing.tables import TableOptions, read_tables, tables_of
from tests.shared_data import shared_data

pytestmark = pytest.mark.shared


def unpacked(tmp_path, name):
    path = tmp_path / name.rpartition("/")[2].removesuffix(".gz")
    path.write_bytes(gzip.decompress(shared_data(f"data/{name}").read_bytes()))
    return path


def test_hatecheck_has_its_alpha_over_missing_cells(tmp_path):
    path = unpacked(tmp_path, "hatecheck/annotations.jsonl.gz")
    expected = json.loads(shared_data("data/expected/hatecheck.json").read_text())["all 3901"]
    (found,) = table_agreement(read_tables(path, TableOptions()).tables).rubrics
    assert (found.units, found.raters_n, found.missing) == (3901, 10, 0.5)
    assert round(found.alpha.value, 4) == expected["krippendorff_alpha_nominal"] == 0.9285
    assert round(found.fleiss.value, 4) == expected["fleiss_kappa"]
    assert found.alpha.low < 0.9285 < found.alpha.high
    worst = min(found.raters, key=lambda rater: rater.agreement.value)
    assert worst.rater == "annotator_2"


@pytest.mark.parametrize("dimension", ["naturalness", "appropriateness", "completeness", "faithfulness"])
def test_mtrag_has_its_alphas_at_each_scale(tmp_path, dimension):
    path = unpacked(tmp_path, "mtrag_human/dev_evaluations.jsonl.gz")
    expected = json.loads(shared_data("data/expected/mtrag_human.json").read_text())["dev"]["krippendorff_alpha"]
    tables = read_tables(path, TableOptions(scale="ordinal", rubrics=(dimension,))).tables
    (found,) = table_agreement(tables).rubrics
    assert found.scale == "ordinal"
    assert found.alpha == found.alphas["ordinal"]
    assert {scale: round(found.alphas[scale].value, 4) for scale in expected[dimension]} == expected[dimension]
    assert any("paradox" in warning for warning in found.warnings)


LAYOUTS = {
    "krippendorff_4x12": "raters-by-units",
    "krippendorff_tiny": "raters-by-units",
    "fleiss_1971_diagnoses": "units-by-raters",
    "fleiss_wikipedia": "counts",
    "randolph_free_marginal": "counts",
    "sas_3x3": "contingency",
    "cohen_grants": "contingency",
    "kappa_paradox": "contingency",
    "irr_anxiety_raters_2_3": "units-by-raters",
    "irr_anxiety_3_raters": "units-by-raters",
}


def figures(found):
    """What the reference calls its figures."""
    pair = found.pairs[0] if found.pairs else None
    values = {f"alpha_{scale}": one.value for scale, one in found.alphas.items()}
    values |= {"fleiss_kappa": found.fleiss.value, "randolph_kappa": found.brennan_prediger.value}
    values |= {"percent_agreement": found.percent.value}
    values |= {
        {"icc_2_1": "icc_2_1_agreement", "icc_3_1": "icc_3_1_consistency"}.get(name, name): one.value
        for name, one in found.intraclass.items()
    }
    if pair is not None:
        values |= {"cohen_kappa": pair.kappa.value, "ase": pair.kappa.se, "z_h0": pair.z}
        values["ci95"] = [pair.kappa.low, pair.kappa.high]
        if pair.kappa_linear is not None:
            values |= {"weighted_linear_kappa": pair.kappa_linear.value, "weighted_linear_ase": pair.kappa_linear.se}
            values["weighted_quadratic_kappa"] = pair.kappa_quadratic.value
    return values


@pytest.mark.parametrize("name", LAYOUTS)
def test_reference_tables(name):
    cases = json.loads(shared_data("data/irr_reference/cases.json").read_text())
    case = next(case for case in cases if case["name"] == name)
    (found,) = table_agreement(tables_of(case["data"], TableOptions(layout=LAYOUTS[name])).tables).rubrics
    values = figures(found)
    for key, wanted in case["expected"].items():
        digits = 1e-4 if isinstance(wanted, list) or round(wanted, 4) == wanted else 1e-6
        assert values[key] == pytest.approx(wanted, abs=digits), key


@pytest.fixture
def reviewer(tmp_path):
    """Somebody at a server of their own."""
    pytest.importorskip("fastapi")
    from evalwright.server.settings import ServerSettings
    from tests.server.conftest import Server

    return Server(ServerSettings(workspace=tmp_path / "ws")).browser("ada", roles={"default": "reviewer"})


def posted(reviewer, table, **how):
    answer = reviewer.post("/projects/default/review/agreement", {"table": table, **how})
    assert answer.status_code == 200, answer.text
    return answer.json()["rubrics"]


def test_over_http(reviewer):
    data = gzip.decompress(shared_data("data/hatecheck/annotations.jsonl.gz").read_bytes())
    path = "/projects/default/review/agreement/file?format=jsonl"
    answer = reviewer.call("POST", path, content=data, headers={"Content-Type": "application/octet-stream"})
    (found,) = answer.json()["rubrics"]
    assert (found["units"], round(found["alpha"]["value"], 4)) == (3901, 0.9285)
    rows = gzip.decompress(shared_data("data/mtrag_human/dev_evaluations.jsonl.gz").read_bytes()).decode().split("\n")
    human = [{"id": n, "human": json.loads(row)["human"]} for n, row in enumerate(rows) if row]
    alphas = {one["name"]: round(one["alpha"]["value"], 4) for one in posted(reviewer, human, scale="ordinal")}
    expected = json.loads(shared_data("data/expected/mtrag_human.json").read_text())["dev"]["krippendorff_alpha"]
    assert {name: alphas[name] for name in expected} == {name: one["ordinal"] for name, one in expected.items()}
    for case in json.loads(shared_data("data/irr_reference/cases.json").read_text()):
        (found,) = posted(reviewer, case["data"], layout=LAYOUTS[case["name"]])
        values = {f"alpha_{scale}": one["value"] for scale, one in found["alphas"].items()}
        values |= {"fleiss_kappa": found["fleiss"]["value"]}
        for key in set(values) & set(case["expected"]):
            assert values[key] == pytest.approx(case["expected"][key], abs=1e-4), (case["name"], key)


def test_on_the_command_line(tmp_path, monkeypatch):
    from tests.e2e.conftest import Folder

    monkeypatch.chdir(tmp_path)
    path = unpacked(tmp_path, "hatecheck/annotations.jsonl.gz")
    told = Folder(tmp_path).run("review", "agreement", "--labels", str(path))
    assert "Krippendorff's alpha, nominal  0.9285" in told.out
    case = json.loads(shared_data("data/irr_reference/cases.json").read_text())[0]
    (tmp_path / "bare.json").write_text(json.dumps(case["data"]))
    words = ("--layout", "raters-by-units", "--scale", "ratio", "--json")
    (found,) = Folder(tmp_path).run("review", "agreement", "--labels", "bare.json", *words).json["rubrics"]
    assert found["alpha"]["value"] == pytest.approx(case["expected"]["alpha_ratio"], abs=1e-6)
