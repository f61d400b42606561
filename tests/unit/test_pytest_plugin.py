"""The pytest plugin, by running pytest on small test files."""

import json
import textwrap

import pytest

pytest_plugins = ["pytester"]

SUITE = """\
suite: small
target: {{ type: python, callable: "product:answer" }}
dataset: {{ file: cases.jsonl }}
scorers: [exact]
gate: [{{ metric: exact, at_least: {floor} }}]
"""


OPTIONS = ("-p", "evalwright.pytest_plugin", "-p", "no:cacheprovider", "-p", "no:asyncio", "--evalwright-workspace=ws")


@pytest.fixture(scope="module", autouse=True)
def _everything_is_imported(tmp_path_factory):
    """Run inside pytest, pytest forgets the modules imported meanwhile, and some of them can be loaded only once."""
    from evalwright import Case, Suite, evaluate
    from evalwright.core.gate import Rule
    from evalwright.gates.explain import decision_lines
    from evalwright.scorers import ExactMatch
    from evalwright.services import overrides, suite_files  # noqa: F401

    suite = Suite(
        name="s",
        cases=[Case(id="a", input="x", expected="x")],
        scorers=[ExactMatch()],
        gate=[Rule(metric="exact", at_least=0.1)],
    )
    run = evaluate(suite, lambda text: text, workspace=tmp_path_factory.mktemp("first"))
    assert decision_lines(run.decision)
    assert list(run.failing()) == []


@pytest.fixture
def project(pytester, monkeypatch):
    monkeypatch.delenv("EVALWRIGHT_WORKSPACE", raising=False)
    monkeypatch.syspath_prepend(pytester.path)
    rows = [{"id": f"q{i}", "input": str(i), "expected": "yes" if i % 10 else "no"} for i in range(60)]
    (pytester.path / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (pytester.path / "product.py").write_text("def answer(question):\n    return 'yes'\n")
    (pytester.path / "good.yaml").write_text(SUITE.format(floor=0.5))
    (pytester.path / "bad.yaml").write_text(SUITE.format(floor=0.99))
    return pytester


def test(project, body, *options):
    project.makepyfile(textwrap.dedent(body))
    return project.runpytest_inprocess(
        "-p",
        "evalwright.pytest_plugin",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:asyncio",
        "--evalwright-workspace",
        "ws",
        *options,
    )


test.__test__ = False


def test_a_marked_test_gets_the_finished_run(project):
    done = test(
        project,
        """
        import pytest

        @pytest.mark.evalwright("good.yaml")
        def test_gate(evalwright_run):
            assert evalwright_run.gate.passed
            assert evalwright_run.metric("exact").n == 60

        @pytest.mark.evalwright("good.yaml", limit=20, seed=3)
        def test_fewer(evalwright_run):
            assert evalwright_run.metric("exact").n == 20
        """,
    )
    done.assert_outcomes(passed=2)


def test_a_failure_explains_the_gate_in_plain_words(project):
    done = test(
        project,
        """
        def test_gate(evalwright_runner):
            run = evalwright_runner("bad.yaml")
            assert run.gate.passed
        """,
    )
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(
        [
            "*<gate FAIL: exact >= 0.99: measured 0.9 on 60 cases*",
            "*evaluation of small*",
            "FAIL: at least one rule is broken*",
            "*we can be 95 % sure that the true value is at most*",
            "run *: evalwright show *",
        ]
    )


def test_the_same_suite_runs_once_a_session(project):
    done = test(
        project,
        """
        import pytest
        pytestmark = pytest.mark.evalwright("good.yaml")

        def test_one(evalwright_run):
            assert evalwright_run.gate.passed

        def test_two(evalwright_run):
            assert not list(evalwright_run.failing())[10:]
        """,
    )
    done.assert_outcomes(passed=2)
    assert len(list((project.path / "ws" / "runs").iterdir())) == 1


def test_mistakes_are_told_without_a_traceback(project):
    done = test(
        project,
        """
        import pytest

        @pytest.mark.evalwright("missing.yaml")
        def test_missing(evalwright_run):
            pass

        @pytest.mark.evalwright("good.yaml", limits=3)
        def test_unknown(evalwright_run):
            pass

        def test_unmarked(evalwright_run):
            pass
        """,
    )
    done.assert_outcomes(errors=3)
    text = done.stdout.str()
    assert "there is no suite file missing.yaml" in text
    assert "knows no setting limits" in text
    assert "without a marker" in text
    assert "Traceback" not in text


def test_a_suite_without_a_gate_has_not_passed(project):
    (project.path / "open.yaml").write_text(SUITE.format(floor=0.5).partition("gate:")[0])
    done = test(
        project,
        """
        def test_gate(evalwright_runner):
            assert evalwright_runner("open.yaml").gate.passed
        """,
    )
    done.stdout.fnmatch_lines(["*the suite has no gate: add rules under*"])


@pytest.mark.slow
def test_workers_of_xdist_share_one_run(project):
    project.makepyfile(
        textwrap.dedent("""
        import pytest
        pytestmark = pytest.mark.evalwright("good.yaml")

        @pytest.mark.parametrize("number", range(6))
        def test_many(evalwright_run, number):
            assert evalwright_run.gate.passed
        """)
    )
    done = project.runpytest_subprocess(
        "-p",
        "evalwright.pytest_plugin",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:asyncio",
        "--evalwright-workspace",
        "ws",
        "-n",
        "2",
    )
    done.assert_outcomes(passed=6)
    assert len(list((project.path / "ws" / "runs").iterdir())) == 1
