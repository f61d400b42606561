"""Keys and lines from a person at a terminal, or from a pipe."""

from __future__ import annotations

import sys

import click


class Keys:
    """One key or one line at a time.

    From a pipe each line is a key; what stands behind it in the line is the next line, so `nbecause` is the key `n` and
    the reason `because`, as `n` and `because` in two lines are.
    """

    def __init__(self) -> None:
        self._terminal = sys.stdin.isatty()
        self._rest = ""

    def key(self) -> str:
        """The next key; `q` at the end of the input."""
        if self._terminal:
            return click.getchar()
        while not self._rest:
            line = sys.stdin.readline()
            if not line:
                return "q"
            self._rest = line.strip()
        key, self._rest = self._rest[0], self._rest[1:].strip()
        return key

    def line(self, prompt: str) -> str:
        """A line; empty at the end of the input."""
        click.echo(f"{prompt}: ", nl=self._rest != "" or not self._terminal, err=True)
        text, self._rest = self._rest, ""
        return text or sys.stdin.readline().strip()
