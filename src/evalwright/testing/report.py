"""What a conformance kit finds wrong, collected and raised at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class ConformanceError(AssertionError):
    """A scorer or target does not keep to its protocol; the message lists every finding."""


class Findings:
    """Findings of one kit run over one subject."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.found: list[str] = []

    def expect(self, held: bool, message: str) -> None:
        """Note the message unless it held."""
        if not held:
            self.found.append(message)

    @contextmanager
    def guard(self, check: str) -> Iterator[None]:
        """Note what a check raises as a finding of that check, and go on with the next."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - the code under test is foreign
            self.found.append(f"{check}: raised {type(error).__name__}: {error}")

    def raise_if_any(self) -> None:
        """End the kit.

        Raises:
            ConformanceError: Something was found.
        """
        if self.found:
            lines = "\n".join(f"  - {item}" for item in self.found)
            raise ConformanceError(f"{self.subject} does not conform:\n{lines}")
