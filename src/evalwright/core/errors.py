"""One tree of errors.

EvalwrightError
├── UsageError            wrong call: unknown run, bad option            (exit code 2)
│   ├── NotFound          there is nothing of this name
│   ├── NotAllowed        somebody else, or another role, is needed
│   └── Conflict          it is there already, or has changed meanwhile
├── ConfigError           a suite, policy or dataset file is wrong       (exit code 2)
├── MissingExtra          an optional package is needed                  (exit code 2)
├── StoreError            the workspace can't be used                    (exit code 2)
│   ├── NewerWorkspace    it was written by a later version
│   ├── RunBusy           another process is working on the run
│   └── DiskFull          nothing more can be written; what was recorded is safe
├── TargetError           an attempt at a case failed (recorded, retried when it may succeed)
└── ScorerError           a scorer failed on a row (recorded)
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing wrong in a file: what, where, and the remedy.

    Attributes:
        message: What is wrong, with the given value.
        file: Path as the user gave it.
        line: 1-based; 0 when unknown.
        column: 1-based; 0 when unknown.
        key: Dotted path of the key, e.g. `gate.0.at_least`.
        hint: What to do, without the word "hint".
        snippet: The line of the file, shown with a mark under the column; empty when it would not help.
    """

    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    key: str = ""
    hint: str = ""
    snippet: str = ""

    def __str__(self) -> str:
        text = f"error: {self.message}"
        if self.file:
            place = ":".join([self.file, *(str(number) for number in (self.line, self.column) if number)])
            text += f"\n  --> {place}" + (f" ({self.key})" if self.key else "")
        if self.snippet:
            text += f"\n   | {self.snippet}\n   | {' ' * (self.column - 1)}^"
        if self.hint:
            text += f"\nhint: {self.hint}"
        return text


class EvalwrightError(Exception):
    """Base of every error Evalwright raises on purpose; `hint` says what to do."""

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if not self.hint else f"{self.message}\nhint: {self.hint}"


class UsageError(EvalwrightError):
    """A wrong call: an unknown run, an option that does not fit."""


class NotFound(UsageError):
    """There is nothing of this name, or nothing that one may see."""


class NotAllowed(UsageError):
    """Somebody else, or another role, is needed for it."""


class Conflict(UsageError):
    """It is there already, or has changed meanwhile."""


class ConfigError(EvalwrightError):
    """One or several things wrong in a file, reported together."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n\n".join(str(problem) for problem in self.problems))


class MissingExtra(EvalwrightError):
    """An optional package is needed; the hint names the extra to install."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"`{package}` is not installed", hint=f'install with: pip install "evalwright[{extra}]"')


class StoreError(EvalwrightError):
    """The workspace can't be read or written."""


class NewerWorkspace(StoreError):
    """The workspace was written by a later version of Evalwright."""


class RunBusy(StoreError):
    """Another process is working on the run."""


class DiskFull(StoreError):
    """Nothing more can be written; what was recorded is safe."""


class TargetError(EvalwrightError):
    """An attempt at a case failed.

    Attributes:
        kind: `timeout`, `rate_limit`, `server`, `connection`, `malformed`, `refused`, `exception`, `missing`, …
        status: HTTP status where there was one.
        retryable: Whether another attempt may succeed.
        retry_after_s: Seconds the provider asks to wait, None when it did not.
        max_attempts: Attempts at most for this kind of failure (2 for malformed answers), None for the run's setting.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: str,
        retryable: bool = False,
        status: int | None = None,
        retry_after_s: float | None = None,
        max_attempts: int | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.retryable = retryable
        self.status = status
        self.retry_after_s = retry_after_s
        self.max_attempts = max_attempts


class ScorerError(EvalwrightError):
    """A scorer failed on a row."""
