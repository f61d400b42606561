"""Makes the reference pages from the code, and checks that the documentation keeps up with it.

python docs/build.py --write    write docs/reference/*.md anew
python docs/build.py --check    fail when a page is out of date, a link is broken or a heading is missing
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from pydantic import TypeAdapter

from evalwright.cli.main import COMMANDS, main
from evalwright.core import errors
from evalwright.server.app import description
from evalwright.services.vocabulary import vocabulary
from evalwright.suites.schema import write_schema
from evalwright.suites.sections import RunSection

DOCS = Path(__file__).parent
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(#[^)\s]*)?\)")
NOTE = "<!-- Made from the code by `python docs/build.py --write`; edit the docstrings instead. -->\n\n"


def scorers_page() -> str:
    """Every scorer with its options."""
    head = (
        "# Scorers\n\nEach scorer is named in a suite under `scorers:`. All of them also take `as` (name of the "
        "metric), `weight`, `not`, `severity` and `threshold`; see [suites](../suites.md).\n"
    )
    scorers = sorted(vocabulary().scorers.items())
    return NOTE + head + "".join(_component(name, cls) for name, cls in scorers) + _parts(cls for _, cls in scorers)


def targets_page() -> str:
    """Every target type with its options."""
    head = "# Targets\n\nA target is the system under test: `target: { type: NAME, … }` in a suite.\n"
    targets = sorted(vocabulary().targets.items())
    return NOTE + head + "".join(_component(name, cls) for name, cls in targets) + _parts(cls for _, cls in targets)


def _component(name: str, cls: Any) -> str:
    parts = [f"\n## {name}\n\n{inspect.getdoc(cls) or ''}\n"]
    rows = list(_options(TypeAdapter(cls).json_schema()))
    if rows:
        parts.append("\n| option | type | default | meaning |\n| --- | --- | --- | --- |\n" + "".join(rows))
    return "".join(parts)


def _parts(classes: Iterable[Any]) -> str:
    """Options that are groups of options themselves, each once."""
    found: dict[str, Any] = {}
    for cls in classes:
        found |= TypeAdapter(cls).json_schema().get("$defs", {})
    pages = [
        f"\n### {name}\n\n{schema.get('description', '').strip()}\n\n| option | type | default | meaning |\n"
        f"| --- | --- | --- | --- |\n{''.join(_options(schema))}"
        for name, schema in sorted(found.items())
        if schema.get("properties")
    ]
    return "\n## Groups of options\n" + "".join(pages) if pages else ""


def _options(schema: dict[str, Any]) -> Iterator[str]:
    required = set(schema.get("required", ()))
    for name, field in schema.get("properties", {}).items():
        default = "required" if name in required else f"`{_default(field.get('default'))}`"
        yield f"| `{name}` | {_type(field)} | {default} | {_cell(field.get('description', ''))} |\n"


def _default(value: Any) -> str:
    return "none" if value is None else str(value).replace("|", "\\|")


def _type(field: dict[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_type(choice) for choice in field["anyOf"] if choice.get("type") != "null"))
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    if field.get("type") == "array":
        return f"list of {_type(field.get('items', {}))}"
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    kind = field.get("type", "any")
    return " or ".join(_WORDS.get(name, name) for name in (kind if isinstance(kind, list) else [kind]))


_WORDS = {"object": "mapping", "string": "text"}


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def commands_page() -> str:
    """Every command's help as the command line prints it."""
    parts = [NOTE, "# Command line\n\nEvery command also answers to `ew`, the short form of `evalwright`.\n"]
    parts.append(_command_help(main, "evalwright"))
    context = click.Context(main, info_name="evalwright")
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        parts.extend(_command_tree(command, f"evalwright {name}"))
    return "".join(parts)


def _command_tree(command: click.Command, path: str) -> Iterator[str]:
    yield _command_help(command, path)
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from _command_tree(child, f"{path} {name}")


def _command_help(command: click.Command, path: str) -> str:
    text = command.get_help(click.Context(command, info_name=path, terminal_width=100, max_content_width=100))
    return f"\n## {path}\n\n```text\n{text}\n```\n"


def settings_page() -> str:
    """Every key of a suite's `run:` section."""
    head = "# Run settings\n\nThe `run:` section of a suite; the command line's options win over it.\n\n"
    rows = _options(TypeAdapter(RunSection).json_schema())
    return NOTE + head + "| key | type | default | meaning |\n| --- | --- | --- | --- |\n" + "".join(rows)


def errors_page() -> str:
    """The error tree and the exit codes."""
    head = "# Errors and exit codes\n\n"
    codes = (
        "| code | meaning |\n| --- | --- |\n| 0 | the gate passed, or none was asked |\n| 1 | the gate failed |\n"
        "| 2 | wrong usage or configuration |\n| 3 | the gate is inconclusive: not enough evidence |\n"
        "| 4 | the run is incomplete: more errored cases than allowed, or stopped before its end |\n"
        "| 130 | interrupted; `evalwright resume` goes on |\n\n"
    )
    tree = (errors.__doc__ or "").partition("\n\n")[2]
    body = f"```text\n{inspect.cleandoc(tree)}\n```\n"
    classes = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, errors.EvalwrightError)]
    sections = "".join(f"\n## {c.__name__}\n\n{inspect.getdoc(c)}\n" for c in classes)
    return NOTE + head + codes + body + sections


def openapi_text() -> str:
    """The description of the server's API."""
    return json.dumps(description(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "reference/scorers.md": scorers_page,
    "reference/targets.md": targets_page,
    "reference/commands.md": commands_page,
    "reference/settings.md": settings_page,
    "reference/errors.md": errors_page,
    "../schema/openapi.json": openapi_text,
}


def stale_pages() -> list[str]:
    """Pages that differ from what the code says."""
    return [
        f"docs/{name} is out of date: run `python docs/build.py --write`"
        for name, make in PAGES.items()
        if not (DOCS / name).is_file() or (DOCS / name).read_text(encoding="utf-8") != make()
    ]


def broken_links() -> list[str]:
    """Relative links that lead nowhere, in docs, README and CONTRIBUTING."""
    pages = [*DOCS.rglob("*.md"), *DOCS.parent.glob("*.md")]
    return [
        f"{page.relative_to(DOCS.parent)}: broken link {target}"
        for page in pages
        for target, _ in LINK.findall(page.read_text(encoding="utf-8"))
        if "://" not in target and not target.startswith("mailto:") and not (page.parent / target).exists()
    ]


def unlisted_pages() -> list[str]:
    """Pages that the site's navigation forgets."""
    navigation = (DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8")
    names = [page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")]
    return [f"docs/{name} is not in mkdocs.yml" for name in names if name not in navigation]


def check() -> int:
    """Print what is wrong; 0 when nothing is."""
    problems = [*stale_pages(), *broken_links(), *unlisted_pages()]
    print("\n".join(problems) or f"documentation is in order: {len(list(DOCS.rglob('*.md')))} pages")
    return 1 if problems else 0


def write() -> int:
    """Write the reference pages."""
    for name, make in PAGES.items():
        path = DOCS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(make(), encoding="utf-8")
    write_schema(vocabulary(), DOCS.parent / "schema" / "suite.schema.json")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the reference pages anew")
    parser.add_argument("--check", action="store_true", help="fail when anything is out of date")
    sys.exit(write() if parser.parse_args().write else check())
