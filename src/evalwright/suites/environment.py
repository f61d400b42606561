"""`${NAME}` in a suite file: filled where the text is no secret; secrets themselves are refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from evalwright.core.case import Json
from evalwright.models.secrets import find_secrets, looks_like_secret, references
from evalwright.suites.document import Path, Problems

_PIECE = 20_000
_OVERLAP = 500


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


def refuse_secrets(data: dict[str, Json], problems: Problems) -> None:
    """Note every literal secret in a file; cases written into it are looked through too. No message shows one."""
    cases = _cases(data)
    found = find_secrets(data if cases is None or _suspicious(cases) else _without_cases(data))
    for path, noun in found:
        name = next((part for part in reversed(path) if isinstance(part, str)), "value")
        problems.add(path, f"`{name}` looks like {noun}; a suite file never holds one", hint=_remedy(name, path))


def _remedy(name: str, path: Path) -> str:
    if path[0] == "dataset":
        return "if the case needs it, keep the cases in a file of their own: `dataset: { file: cases.jsonl }`"
    variable = "".join(char if char.isalnum() else "_" for char in name).upper()
    return f"put it into an environment variable and write `${{{variable}}}`"


def _cases(data: dict[str, Json]) -> list[Json] | None:
    dataset = data.get("dataset")
    found = dataset.get("cases") if isinstance(dataset, dict) else dataset
    return found if isinstance(found, list) else None


def _without_cases(data: dict[str, Json]) -> dict[str, Json]:
    dataset = data["dataset"]
    return {**data, "dataset": {**dataset, "cases": []} if isinstance(dataset, dict) else []}


def _suspicious(cases: list[Json]) -> bool:
    """Whether any text among the cases has the shape of a secret: looked at in large pieces, as there may be many."""
    text = "\n".join(_texts(cases))
    return any(looks_like_secret(text[start : start + _PIECE]) for start in range(0, len(text), _PIECE - _OVERLAP))


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
