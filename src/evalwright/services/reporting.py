"""Reports of a stored run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from evalwright.core.errors import UsageError
from evalwright.core.result import Summary
from evalwright.reports.options import ReportOptions
from evalwright.reports.write import FORMATS, write_report
from evalwright.services.ci_reports import CI_FILES, write_ci_report
from evalwright.services.figures import slice_specs
from evalwright.services.slicing import case_slices
from evalwright.store.results import RunStore

BY_SUFFIX = {".html": "html", ".htm": "html", ".md": "markdown", ".json": "json", ".xml": "junit", ".sarif": "sarif"}
"""Format by the file's ending, where none is given."""

MANY_FAILING = 5_000
"""Above so many failing cases the HTML report is not written unasked."""

FILE_NAMES = {"html": "report.html", "markdown": "report.md", "json": "report.json", "junit": "junit.xml", **CI_FILES}


def format_for(path: Path, given: str | None) -> str:
    """The format asked for, or the one a file's ending stands for.

    Raises:
        UsageError: The ending stands for none, or the format is unknown.
    """
    name = given or BY_SUFFIX.get(path.suffix.lower())
    if name is None:
        known = ", ".join(BY_SUFFIX)
        raise UsageError(f"can't tell the format of {path}", hint=f"use --format, or a name that ends in {known}")
    if name not in FORMATS and name not in CI_FILES:
        known = ", ".join(sorted([*FORMATS, *CI_FILES]))
        raise UsageError(f"there is no report format {name!r}", hint=f"there are: {known}")
    return name


def write_run_report(run: RunStore, summary: Summary, path: Path, *, format: str | None = None) -> Path:
    """Write a report of a run to a file.

    Raises:
        UsageError: The format can't be told or is unknown.
        StoreError: The file can't be written.
    """
    name = format_for(path, format)
    if name in CI_FILES:
        return write_ci_report(run, summary, path, format=name)
    cases = run.case_results(slices=case_slices(slice_specs(summary.manifest)))
    return write_report(name, summary, cases, path, options=ReportOptions(media=run.blobs))


def write_reports(run: RunStore, summary: Summary, wanted: Iterable[tuple[str, Path | None]]) -> dict[str, str]:
    """Write several reports, into the run's folder where no path is given; format to path."""
    written: dict[str, str] = {}
    for name, path in wanted:
        place = path or run.folder / FILE_NAMES.get(name, f"report.{name}")
        written[name] = str(write_run_report(run, summary, place, format=name))
    return written
