"""`${NAME}` in a suite file: filled where the text is no secret; secrets themselves are refused."""

from __future__ import annotations

from collections.abc import Mapping

from evalwright.core.case import Json
from evalwright.models.secrets import find_secrets, references
from evalwright.suites.document import Path, Problems


class Environment:
    """The environment variables a suite may refer to."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables

    def fill(self, text: str, problems: Problems, path: Path) -> str:
        """A text with its `${NAME}` references replaced; unchanged where a variable is not set, which is noted."""
        if not self.check(text, problems, path):
            return text
        for name in references(text):
            text = text.replace("${" + name + "}", self.variables[name])
        return text

    def check(self, text: str, problems: Problems, path: Path) -> bool:
        """Whether every variable a text refers to is set; those that are not are noted."""
        missing = [name for name in dict.fromkeys(references(text)) if not self.variables.get(name)]
        for name in missing:
            problems.add(
                path, f"the environment variable `{name}` is not set", hint=f"set it before the run: `export {name}=…`"
            )
        return not missing


def refuse_secrets(data: Json, problems: Problems) -> None:
    """Note every literal secret in a file; cases written into it are looked through too. No message shows one."""
    for path, noun in find_secrets(data):
        name = next((part for part in reversed(path) if isinstance(part, str)), "value")
        variable = "".join(char if char.isalnum() else "_" for char in name).upper()
        hint = f"put it into an environment variable and write `${{{variable}}}`"
        problems.add(path, f"`{name}` looks like {noun}; a suite file never holds one", hint=hint)
