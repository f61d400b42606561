"""What git knows of a file: the commits that changed it, and its content at each."""

from __future__ import annotations

import subprocess
from pathlib import Path

import msgspec

from evalwright.core.errors import UsageError

_FORMAT = "%x1e%H%x00%at%x00%an%x00%s%x00%(trailers:key=Reviewed-by,valueonly,separator=%x2C)"


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """A commit that changed a file.

    Attributes:
        sha: Its name.
        at: When it was written, seconds since the epoch.
        by: Who wrote it.
        message: First line of its message.
        reviewer: Who stands in its first `Reviewed-by:` line, without the address; empty when nobody does.
    """

    sha: str
    at: float
    by: str
    message: str
    reviewer: str = ""


def commits(file: Path, after: str = "") -> list[Commit]:
    """The commits that changed a file, oldest first.

    Args:
        file: The file.
        after: Only those after this commit, where it is part of the history.

    Raises:
        UsageError: The file lies in no git repository, or git is not there.
    """
    known = after and _git(file, "merge-base", "--is-ancestor", after, "HEAD") is not None
    spans = [f"{after}..HEAD"] if known else []
    found = _git(file, "log", "--reverse", "--topo-order", f"--format={_FORMAT}", *spans, "--", file.name)
    if found is None:
        raise UsageError(f"{file} has no history in git", hint="commit it first, or use `dataset add`")
    return [_commit(line) for line in found.decode("utf-8", "replace").split("\x1e")[1:]]


def _commit(line: str) -> Commit:
    sha, at, by, message, reviewers = line.rstrip("\n").split("\0")
    reviewer = reviewers.partition(",")[0].partition("<")[0].strip()
    return Commit(sha=sha, at=float(at), by=by, message=message, reviewer=reviewer)


def content(file: Path, sha: str) -> bytes | None:
    """The file as a commit has it; None where it has not."""
    return _git(file, "show", f"{sha}:./{file.name}")


def _git(file: Path, *words: str) -> bytes | None:
    try:
        done = subprocess.run(  # noqa: S603 - fixed words, no shell
            ["git", "-C", str(file.resolve().parent), *words],  # noqa: S607 - git as the user would call it
            capture_output=True,
            timeout=120,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
