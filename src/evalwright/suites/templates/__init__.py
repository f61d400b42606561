"""Suites to start from: each runs offline as it is, with cases, a tiny system under test and comments that teach."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from evalwright.core.errors import UsageError
from evalwright.suites.suggest import suggestion

TEMPLATES: dict[str, str] = {
    "chat": "An assistant that keeps a conversation: what it must say, must never say, and in which language.",
    "classifier": "A text classifier: accuracy with an interval, per channel and per class, from a CSV file.",
    "rag": "Questions answered from documents: the right source, the right facts, and 'I don't know'.",
    "python": "The same things written in Python: a suite, a function as the target, scorers of your own.",
}
"""Name to a summary in one line."""

_ENDING = ".tmpl"


def write_template(name: str, folder: Path) -> list[Path]:
    """Write a template's files into a folder, making it where needed.

    Args:
        name: One of `TEMPLATES`.
        folder: Where to; nothing that exists there is overwritten.

    Returns:
        The files written, the suite first.

    Raises:
        UsageError: There is no such template, or a file of the same name exists.
    """
    contents = template_files(name)
    taken = [file for file in contents if (folder / file).exists()]
    if taken:
        raise UsageError(
            f"{folder} holds {' and '.join(f'`{file}`' for file in taken)} already",
            hint="choose another folder; nothing was written",
        )
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in contents.items():
        (folder / file).write_text(text, encoding="utf-8")
    return [folder / file for file in contents]


def template_files(name: str) -> dict[str, str]:
    """A template's files by name, the suite first.

    Raises:
        UsageError: There is no such template.
    """
    if name not in TEMPLATES:
        raise UsageError(f"there is no template `{name}`", hint=suggestion(name, TEMPLATES))
    folder = files(__package__).joinpath("files", name)
    found = {
        item.name.removesuffix(_ENDING): item.read_text(encoding="utf-8")
        for item in folder.iterdir()
        if item.name.endswith(_ENDING)
    }
    return dict(sorted(found.items(), key=lambda item: (not item[0].startswith("suite."), item[0])))
