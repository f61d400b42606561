"""What is wrong with an expression, and where in its text."""

from __future__ import annotations

from evalwright.core.errors import EvalwrightError


class ExpressionError(EvalwrightError):
    """An expression that can't be read, or that can't be evaluated for a case.

    Attributes:
        text: The expression.
        line: Line in the text, from 1; 0 when unknown.
        column: Character in the line, from 1; 0 when unknown.
    """

    def __init__(self, message: str, *, text: str, line: int = 0, column: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.text = text
        self.line = line
        self.column = column

    def __str__(self) -> str:
        lines = self.text.splitlines()
        if not 0 < self.line <= len(lines):
            return super().__str__()
        shown = f"{self.message}\n  {lines[self.line - 1]}\n  {' ' * (self.column - 1)}^"
        return f"{shown}\nhint: {self.hint}" if self.hint else shown
