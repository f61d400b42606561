"""Suites as tests: a marker names the suite, a fixture holds the finished run, a failure explains the gate.

```python
@pytest.mark.evalwright("suites/support.yaml", limit=50)
def test_support_is_good_enough(evalwright_run):
    assert evalwright_run.gate.passed
```

A suite runs once per session for the same options, also with pytest-xdist, where workers share its run.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from evalwright.api import Run
    from evalwright.core.gate import Decision

MARKER = "evalwright"
_ASKED = pytest.StashKey[list["SuiteRun"]]()


class Gate:
    """The gate's decision on a run, for assertions.

    Attributes:
        decision: The decision; None when the suite has no gate.
    """

    def __init__(self, decision: Decision | None) -> None:
        self.decision = decision

    @property
    def passed(self) -> bool:
        """Whether the verdict is pass; an inconclusive gate has not passed.

        Raises:
            AssertionError: The suite has no gate, so that nothing can have passed.
        """
        if self.decision is None:
            raise AssertionError("the suite has no gate: add rules under `gate:` to it")
        return self.decision.verdict.value == "pass"

    @property
    def explanation(self) -> str:
        """The verdict and every rule with its reason, in plain words."""
        from evalwright.gates.explain import decision_lines

        return "the suite has no gate" if self.decision is None else "\n".join(decision_lines(self.decision))

    def __repr__(self) -> str:
        if self.decision is None:
            return "<gate: none>"
        return f"<gate {self.decision.verdict.value.upper()}: {self.decision.reason}>"


class SuiteRun:
    """A finished run of a suite: everything `evalwright.Run` has, and its gate for assertions.

    Attributes:
        run: The run.
        gate: Its gate.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.gate = Gate(run.decision)

    def __getattr__(self, name: str) -> Any:
        if name == "run":
            raise AttributeError(name)
        return getattr(self.run, name)

    def __repr__(self) -> str:
        return repr(self.run)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the plugin."""
    group = parser.getgroup("evalwright")
    group.addoption("--evalwright-workspace", metavar="FOLDER", help="Folder of results of evaluations.")
    group.addoption("--evalwright-baseline", metavar="RUN", help="Run that marked suites are compared with.")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line(
        "markers",
        f"{MARKER}(suite, **settings): run this suite for the fixture `evalwright_run`; settings are those of "
        "`evalwright run`, such as limit, trials, seed, baseline",
    )


@pytest.fixture
def evalwright_runner(request: pytest.FixtureRequest) -> Callable[..., SuiteRun]:
    """Runs a suite file, `suite.py:name` too: `evalwright_runner("suite.yaml", limit=50, baseline="release-7")`."""
    asked: list[SuiteRun] = request.node.stash.setdefault(_ASKED, [])

    def run(suite: str | os.PathLike[str], **settings: Any) -> SuiteRun:
        settings.setdefault("baseline", request.config.getoption("--evalwright-baseline"))
        with _shared(request, [str(suite), settings]) as known:
            reference = known.read_text(encoding="utf-8") if known.is_file() else None
            found = _stored(request, reference) if reference else _run(request, str(suite), settings)
            known.write_text(found.run_id, encoding="utf-8")
        asked.append(found)
        return found

    return run


@pytest.fixture
def evalwright_run(request: pytest.FixtureRequest, evalwright_runner: Callable[..., SuiteRun]) -> SuiteRun:
    """The finished run of the suite that the test's marker names."""
    marker = request.node.get_closest_marker(MARKER)
    if marker is None or not marker.args:
        raise pytest.UsageError(
            f"{request.node.nodeid} uses the fixture evalwright_run without a marker: "
            '@pytest.mark.evalwright("suite.yaml"), or use the fixture evalwright_runner'
        )
    return evalwright_runner(marker.args[0], **marker.kwargs)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """Add the gate's explanation to the report of a test that failed."""
    outcome = yield
    report = outcome.get_result()
    if report.when != "call" or not report.failed:
        return
    for run in item.stash.get(_ASKED, []):
        text = f"{run.gate.explanation}\n\nrun {run.run_id}: evalwright show {run.run_id}"
        report.sections.append((f"evaluation of {run.manifest.suite}", text))


@contextmanager
def _shared(request: pytest.FixtureRequest, key: list[Any]) -> Iterator[Path]:
    """The file that names the run of these options in this session, held against the session's other workers."""
    factory: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
    base = factory.getbasetemp()
    folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    session = os.environ.get("PYTEST_XDIST_TESTRUNUID", "")
    name = hashlib.sha256(json.dumps([session, os.getcwd(), *key], default=str).encode()).hexdigest()[:24]  # noqa: PTH109
    with (folder / f"evalwright-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder / f"evalwright-{name}.run"


def _workspace(request: pytest.FixtureRequest) -> Path | None:
    named = request.config.getoption("--evalwright-workspace")
    return Path(named) if named else None


def _stored(request: pytest.FixtureRequest, reference: str) -> SuiteRun:
    from evalwright.api import open_run

    return SuiteRun(open_run(reference, workspace=_workspace(request)))


def _run(request: pytest.FixtureRequest, suite: str, settings: dict[str, Any]) -> SuiteRun:
    from evalwright.api import Run
    from evalwright.core.errors import EvalwrightError
    from evalwright.services.baselines import baseline_id
    from evalwright.services.evaluation import RunContext, start_run
    from evalwright.services.overrides import Overrides, apply_overrides
    from evalwright.services.suite_files import load_source
    from evalwright.store.workspace import Workspace

    baseline = settings.pop("baseline", None)
    unknown = settings.keys() - set(Overrides.__struct_fields__)
    if unknown:
        raise pytest.UsageError(f"the marker evalwright knows no setting {', '.join(sorted(unknown))}")
    try:
        source = apply_overrides(load_source(suite), Overrides(**settings))
        place = Workspace.open(_workspace(request))
        context = RunContext(workspace=place, baseline=baseline_id(place, baseline, suite=source.name))
        summary = start_run(source, context)
    except EvalwrightError as error:
        pytest.fail(str(error), pytrace=False)
    return SuiteRun(Run(summary, place.run(summary.manifest.run_id)))
