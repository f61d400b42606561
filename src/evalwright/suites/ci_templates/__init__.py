"""Pipelines that run a suite, show its findings where the change is discussed, and keep the main branch as baseline."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from evalwright.core.errors import UsageError

PIPELINES: dict[str, str] = {
    "github": ".github/workflows/evaluation.yml",
    "gitlab": ".gitlab-ci.evaluation.yml",
    "jenkins": "Jenkinsfile.evaluation",
}
"""Build server to the file that is written."""


def write_pipeline(server: str, folder: Path, *, suite: str, name: str) -> Path:
    """Write a pipeline into a folder; nothing that exists is overwritten.

    Args:
        server: One of `PIPELINES`.
        folder: The root of the repository.
        suite: Path of the suite file from there.
        name: Name of the suite.

    Raises:
        UsageError: There is no such server, the file exists, or the suite's path can't stand in a script.
    """
    if server not in PIPELINES:
        raise UsageError(f"there is no pipeline for `{server}`", hint=f"there are: {', '.join(PIPELINES)}")
    unsafe = [word for word in (suite, name) if any(char in word for char in "'\"\\`$\n")]
    if unsafe:
        raise UsageError(f"{unsafe[0]!r} can't stand in a pipeline", hint="use a name without quotes, $, backslashes")
    path = folder / PIPELINES[server]
    if path.exists():
        raise UsageError(f"{path} exists already", hint="remove it first; nothing was written")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(pipeline_text(server, suite=suite, name=name), encoding="utf-8")
    return path


def pipeline_text(server: str, *, suite: str, name: str) -> str:
    """The text of a pipeline for one suite."""
    text = files(__package__).joinpath("files", f"{server}.tmpl").read_text(encoding="utf-8")
    return text.replace("@SUITE@", suite).replace("@NAME@", name)
