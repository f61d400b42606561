"""Reports for build servers: where rules and cases stand in the repository, and what is told to whom."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from evalwright.core.errors import StoreError
from evalwright.core.result import CaseResult, Summary
from evalwright.core.run import Manifest
from evalwright.reports.ci import github, gitlab, sarif
from evalwright.reports.ci.findings import Places
from evalwright.services.figures import slice_specs
from evalwright.services.slicing import case_slices
from evalwright.store.files import disk_errors, write_atomic
from evalwright.store.results import RunStore

CI_FILES = {"sarif": "results.sarif", "gitlab": "gl-code-quality-report.json", "github": "pr-comment.md"}
"""File by format."""

MOST_LOCATED = 5_000
"""So many failing cases are looked up in the dataset."""

_Writer = Callable[[Summary, Iterable[CaseResult], Places], str]
_WRITERS: Mapping[str, _Writer] = {
    "sarif": sarif.sarif,
    "gitlab": gitlab.code_quality,
    "github": lambda summary, cases, _: github.comment(summary, cases),
}


def write_ci_report(run: RunStore, summary: Summary, path: Path, *, format: str) -> Path:
    """Write a report of `CI_FILES` to a file.

    Raises:
        StoreError: The file can't be written.
    """
    text = _WRITERS[format](summary, _failing(run, summary), places(run, summary.manifest))
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, text.encode())
    return path


def tell_github(run: RunStore, summary: Summary, environment: Mapping[str, str]) -> list[str]:
    """Inside GitHub Actions: add to the step's summary and outputs; returns the annotations to print.

    Args:
        run: The run.
        summary: Its figures and decision.
        environment: Variables; nothing is done unless `GITHUB_ACTIONS` is `true`.

    Raises:
        StoreError: GitHub's files can't be written.
    """
    if environment.get("GITHUB_ACTIONS") != "true":
        return []
    _append(environment.get("GITHUB_STEP_SUMMARY"), github.step_summary(summary, _failing(run, summary)))
    _append(environment.get("GITHUB_OUTPUT"), "\n".join(github.outputs(summary)) + "\n")
    return github.annotation_lines(summary, _failing(run, summary), places(run, summary.manifest))


def _append(name: str | None, text: str) -> None:
    if name:
        with disk_errors(Path(name)), Path(name).open("a", encoding="utf-8") as file:
            file.write(text)


def _failing(run: RunStore, summary: Summary) -> Iterable[CaseResult]:
    return run.case_results(slices=case_slices(slice_specs(summary.manifest)), only=run.failing())


def places(run: RunStore, manifest: Manifest) -> Places:
    """Where the rules and failing cases of a run stand, in paths relative to the repository (or working) folder."""
    if manifest.suite_path is None:
        return Places()
    suite = Path(manifest.suite_path.partition(":")[0] if ".py:" in manifest.suite_path else manifest.suite_path)
    source = manifest.dataset.source if manifest.dataset else "inline"
    dataset = suite if source == "inline" else suite.parent / source
    root = _root()
    ids = [run.cases[int(index)].id for index in run.failing()[:MOST_LOCATED]]
    return Places(suite=_relative(suite, root), dataset=_relative(dataset, root), lines=_lines(dataset, ids))


def _root() -> Path:
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--show-toplevel"],  # noqa: S607 - git is looked up as the user would
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return Path.cwd()
    return Path(done.stdout.strip()) if done.returncode == 0 and done.stdout.strip() else Path.cwd()


def _relative(path: Path, root: Path) -> str:
    whole = path.resolve()
    return whole.relative_to(root.resolve()).as_posix() if whole.is_relative_to(root.resolve()) else path.as_posix()


def _lines(dataset: Path, ids: list[str]) -> dict[str, int]:
    """The first line of a text file that names each id, as JSON writes it or as it is."""
    wanted = {**{json.dumps(i): i for i in ids}, **{json.dumps(i, ensure_ascii=False): i for i in ids}}
    if dataset.suffix.lower() not in {".jsonl", ".json", ".csv", ".yaml", ".yml", ".py"} or not dataset.is_file():
        return {}
    found: dict[str, int] = {}
    plain = set(ids)
    try:
        with dataset.open(encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, start=1):
                for case_id in _named(line, wanted, plain):
                    found.setdefault(case_id, number)
    except OSError as error:
        raise StoreError(f"{dataset} can't be read: {error.strerror}") from error
    return found


def _named(line: str, wanted: Mapping[str, str], plain: set[str]) -> list[str]:
    """Ids that a line names: values in quotes, or the words of a table's or YAML's line."""
    found = [wanted[part] for part in _quoted(line) if part in wanted]
    if found:
        return found
    words = line.replace(",", " ").replace("}", " ").replace("{", " ").split()
    return [word.strip("'\"") for word in words if word.strip("'\"") in plain]


def _quoted(line: str) -> list[str]:
    pieces = line.split('"')
    return [f'"{piece}"' for piece in pieces[1::2]]
