"""Suites and their golden sets: which version a suite uses, and the lock file that holds it to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import msgspec

from evalwright.core.case import Case
from evalwright.core.errors import ConfigError, Problem, UsageError
from evalwright.core.media import Contents
from evalwright.core.suite import DatasetSpec
from evalwright.datasets.sampling import SampleSpec, draw
from evalwright.datasets.versions import Version
from evalwright.services.golden import Goldens
from evalwright.store.cases import CaseFile
from evalwright.store.files import write_atomic
from evalwright.store.workspace import Workspace

LOCK_FILE = "evalwright.lock"
FIXED = re.compile(r"v?\d{1,9}|[0-9a-f]{12,64}")
"""References that mean the same version for good."""


class Pin(msgspec.Struct, frozen=True, kw_only=True):
    """The version a suite's reference stands for: number, digest and number of cases."""

    number: int
    digest: str
    cases: int


class Locked(msgspec.Struct, frozen=True, kw_only=True):
    """A lock file: pins by `name@reference`."""

    format: int = 1
    golden: dict[str, Pin] = {}


def read_lock(folder: Path) -> Locked:
    """The pins beside a suite; none when there is no lock file.

    Raises:
        ConfigError: The file can't be read.
    """
    path = folder / LOCK_FILE
    if not path.is_file():
        return Locked()
    try:
        return msgspec.json.decode(path.read_bytes(), type=Locked)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        problem = Problem(message=f"the lock file can't be read: {error}", file=str(path))
        raise ConfigError(
            [msgspec.structs.replace(problem, hint="`evalwright dataset update SUITE` writes it anew")]
        ) from error


def write_pins(folder: Path, pins: dict[str, Pin]) -> Path:
    """Put pins into the lock file beside a suite; the other ones stay."""
    locked = read_lock(folder)
    whole = Locked(golden=dict(sorted({**locked.golden, **pins}.items())))
    write_atomic(folder / LOCK_FILE, msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n")
    return folder / LOCK_FILE


class GoldenRows:
    """The cases a suite's `dataset: { golden: … }` stands for, looked up when they are read.

    Args:
        spec: The dataset section.
        folder: Folder of the suite, where the lock file lies.
        workspace: The workspace; found as commands find it when None.
    """

    def __init__(self, spec: DatasetSpec, folder: Path, workspace: Path | None = None) -> None:
        self._spec = spec
        self._folder = folder
        self._workspace = workspace

    @property
    def reference(self) -> str:
        """`name@version` as the suite says it."""
        return f"{self._spec.golden}@{self._spec.version}"

    @property
    def blobs(self) -> Contents:
        """Where the media of the cases lie."""
        return Workspace.open(self._workspace).blobs

    def __iter__(self) -> Iterator[Case]:
        """The cases.

        Raises:
            ConfigError: There is no such set or version (at the suite's line), or nothing to draw the sample from.
        """
        try:
            cases = CaseFile.open(Workspace.open(self._workspace).blobs, self._pin.digest)
            if not self._spec.sample:
                yield from cases
                return
            chosen = draw(cases, msgspec.convert(self._spec.sample, SampleSpec, strict=False))
        except UsageError as error:
            raise self._problem(error) from error
        yield from (cases[int(index)] for index in chosen)

    @cached_property
    def _pin(self) -> Pin:
        pin = read_lock(self._folder).golden.get(self.reference)
        if pin is not None:
            return pin
        try:
            return pin_of(Goldens(Workspace.open(self._workspace)).find(self.reference)[1])
        except UsageError as error:
            raise self._problem(error) from error

    def _problem(self, error: UsageError) -> ConfigError:
        problem = Problem(
            message=error.message,
            file=self._spec.source,
            line=self._spec.line,
            column=1,
            key="dataset.golden",
            hint=error.hint,
        )
        return ConfigError([problem])

    @property
    def warnings(self) -> tuple[str, ...]:
        """That the version may be another one tomorrow, where neither a pin nor the reference fixes it."""
        fixed = self.reference in read_lock(self._folder).golden or FIXED.fullmatch(self._spec.version)
        if fixed:
            return ()
        return (f"{self.reference} is not pinned and moves with the set; `evalwright dataset update SUITE` pins it",)

    def name(self) -> str:
        """Set and version, for the record of a run."""
        return f"{self._spec.golden}@v{self._pin.number}"


def pin_of(version: Version) -> Pin:
    """What a lock file keeps of a version."""
    return Pin(number=version.number, digest=version.digest, cases=version.cases)


def update_pins(suite: Path, spec: DatasetSpec, goldens: Goldens) -> tuple[str, Pin | None, Pin, Path]:
    """Pin a suite's golden set to what its reference means now.

    Returns:
        The reference, the pin before (None when there was none), the pin now, and the lock file.

    Raises:
        UsageError: The suite uses no golden set, or there is no such version.
    """
    if spec.golden is None:
        raise UsageError(f"{suite} uses no golden set", hint="`dataset: { golden: NAME, version: latest }` does")
    reference = f"{spec.golden}@{spec.version}"
    before = read_lock(suite.parent).golden.get(reference)
    now = pin_of(goldens.find(reference)[1])
    return reference, before, now, write_pins(suite.parent, {reference: now})
