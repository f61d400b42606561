"""The one door to reports: a format's name, a run, and where to put it."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO

import msgspec
from rich.console import Group

from evalwright.core.errors import DiskFull, StoreError, UsageError
from evalwright.core.result import CaseResult, Summary
from evalwright.reports import html, json_report, junit, markdown, terminal
from evalwright.reports.options import ReportOptions

Writer = Callable[[IO[str], Summary, Iterable[CaseResult], ReportOptions], None]


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """A format of reports.

    Attributes:
        name: As the user names it.
        suffix: Ending of its files.
        about: What it is, in a sentence.
        writer: Writes it to a text stream, reading the cases once.
    """

    name: str
    suffix: str
    about: str
    writer: Writer


def _write_json(stream: IO[str], summary: Summary, cases: Iterable[CaseResult], options: ReportOptions) -> None:
    stream.writelines(json_report.full_report(summary, cases, options))


def _write_markdown(stream: IO[str], summary: Summary, cases: Iterable[CaseResult], options: ReportOptions) -> None:
    stream.write(markdown.markdown_report(summary, cases, options))


def _write_text(stream: IO[str], summary: Summary, cases: Iterable[CaseResult], options: ReportOptions) -> None:
    del cases
    content: Group = terminal.run_summary(summary, terminal.View(width=100, reports=options.reports))
    stream.write(terminal.render_text(content, width=100))


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        one.name: one
        for one in (
            Format(
                name="html", suffix=".html", about="one file for a browser, with every failing case", writer=html.write
            ),
            Format(name="markdown", suffix=".md", about="short enough for a pull request", writer=_write_markdown),
            Format(name="json", suffix=".json", about="everything, for programs", writer=_write_json),
            Format(name="junit", suffix=".xml", about="test results for a build server", writer=junit.write),
            Format(name="text", suffix=".txt", about="what the terminal shows", writer=_write_text),
        )
    }
)
"""Every format by name."""


def write_report(
    format: str,
    summary: Summary,
    cases: Iterable[CaseResult],
    path: Path,
    *,
    baseline: Summary | None = None,
    options: ReportOptions | None = None,
) -> Path:
    """Write a report to a file, whole or not at all: it is written beside its place and moved there at the end.

    Args:
        format: One of `FORMATS`.
        summary: The run.
        cases: Its cases, read once and not kept.
        path: The file, or an existing folder to put `report.<suffix>` into. Missing parent folders are made.
        baseline: An earlier run whose figures are shown beside the new ones; in place of `options.baseline`.
        options: Choices for the report.

    Returns:
        The file written.

    Raises:
        UsageError: There is no such format.
        StoreError: The file can't be written (`DiskFull` when that is why).
    """
    chosen = _format(format)
    target = path / f"report{chosen.suffix}" if path.is_dir() else path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _beside(target) as stream:
            chosen.writer(stream, summary, cases, _options(options, baseline))
    except OSError as error:
        raise _unwritable(target, error) from error
    return target


def render(
    format: str,
    summary: Summary,
    cases: Iterable[CaseResult],
    *,
    baseline: Summary | None = None,
    options: ReportOptions | None = None,
) -> str:
    """A report as a text, for standard output or another program; for big runs `write_report` needs less memory.

    Raises:
        UsageError: There is no such format.
    """
    stream = io.StringIO(newline="")
    _format(format).writer(stream, summary, cases, _options(options, baseline))
    return stream.getvalue()


def _unwritable(target: Path, error: OSError) -> StoreError:
    message = f"can't write the report to {target}: {error.strerror or error}"
    kind = DiskFull if error.errno == errno.ENOSPC else StoreError
    return kind(message, hint="name another place for it; the run itself is stored")


def _options(options: ReportOptions | None, baseline: Summary | None) -> ReportOptions:
    options = options or ReportOptions()
    return options if baseline is None else msgspec.structs.replace(options, baseline=baseline)


def _format(name: str) -> Format:
    if name not in FORMATS:
        raise UsageError(f"unknown report format `{name}`", hint=f"formats: {', '.join(FORMATS)}")
    return FORMATS[name]


@contextlib.contextmanager
def _beside(target: Path) -> Iterator[IO[str]]:
    """A file in the target's folder that takes the target's place when all was written, and vanishes otherwise."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            yield stream
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
