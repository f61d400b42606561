"""promptfoo: configurations in YAML or JSON and tests in CSV."""

from __future__ import annotations

import itertools
import re
from collections.abc import Generator, Iterator
from pathlib import PurePosixPath

from evalwright.core.case import BadRow, Case, Json
from evalwright.core.errors import ConfigError
from evalwright.core.identity import content_id
from evalwright.datasets.exporters.promptfoo import with_test
from evalwright.datasets.importers.assertions import from_cell, map_assertions
from evalwright.datasets.importers.items import Figures, Item, Note, TargetHint
from evalwright.datasets.importers.source import Source
from evalwright.datasets.importers.yaml_file import read_yaml
from evalwright.datasets.jsonl import FileError
from evalwright.datasets.tables import read_csv

MAX_COMBINATIONS = 100_000
CONFIG_KEYS = ("prompts", "providers", "targets", "tests", "defaultTest", "scenarios")
_VARIABLE = re.compile(r"\{\{\s*([A-Za-z_][\w.]*)\s*\}\}")
_DIALECTS = {"openai": "openai", "anthropic": "anthropic", "google": "gemini", "azure": "azure"}
Test = dict[str, Json]


def is_config(value: Json) -> bool:
    """Whether a document is a promptfoo configuration."""
    return isinstance(value, dict) and "prompts" in value and any(key in value for key in CONFIG_KEYS[1:])


def read_config(source: Source) -> Iterator[Item]:
    """Tests become cases (their variables the input), assertions checks, the first provider the target.

    Raises:
        ConfigError: The file is no configuration.
    """
    config = source.document() if ".json" in source.path.suffixes else read_yaml(source)
    if not isinstance(config, dict):
        raise source.error("no promptfoo configuration: a mapping with `prompts` and `tests` is needed")
    prompts = yield from _prompts(source, config.get("prompts"))
    yield from _target(config, prompts)
    tests = yield from _tests(source, config)
    maker = CaseMaker()
    for test in tests:
        yield from _test_items(source, test, config, maker)
    if not tests:
        for prompt in prompts:
            yield maker.case({"prompt": prompt}, {}, {})
    yield Figures(values={"tests": len(tests), "prompts": len(prompts)})


def read_tests_csv(source: Source) -> Iterator[Item]:
    """A CSV of tests: columns are variables, `__expected…` columns assertions."""
    maker, count = CaseMaker(), 0
    for test in csv_tests(source):
        if isinstance(test, BadRow):
            yield test
        else:
            count += 1
            yield from _test_items(source, test, {}, maker)
    yield Figures(values={"tests": count})


def csv_tests(source: Source) -> Iterator[Test | BadRow]:
    """The tests in a CSV file. Sets the source's line.

    Raises:
        ConfigError: The file as a whole can't be read.
    """
    try:
        for row in read_csv(source.path):
            source.line = row.line
            if row.reason is not None:
                yield row.bad(row.reason, source.name)
            elif isinstance(row.value, dict):
                yield _csv_test(row.value)
    except FileError as error:
        raise source.error(error.message, line=error.line, hint=error.hint) from None


def _csv_test(row: dict[str, Json]) -> Test:
    special = {name: value for name, value in row.items() if name.startswith("__")}
    names = sorted((name for name in special if re.fullmatch(r"__expected\d*", name)), key=lambda n: int(n[10:] or 0))
    metadata = {
        name.partition(":")[2].removesuffix("[]"): value.split(",") if name.endswith("[]") else value
        for name, value in special.items()
        if name.startswith("__metadata:")
    }
    test: Test = {
        "vars": {name: value for name, value in row.items() if name not in special},
        "assert": [from_cell(str(special[name])) for name in names],
        "metadata": metadata,
    }
    return test | ({"description": special["__description"]} if "__description" in special else {})


class CaseMaker:
    """Makes cases of tests; two tests of the same variables but other assertions get ids of their own."""

    def __init__(self) -> None:
        self._used: dict[str, str] = {}

    def case(
        self, variables: Json, metadata: dict[str, Json], checks: dict[str, Json], whole_test: Test | None = None
    ) -> Case:
        """The case of one test; the same test again gives the same case.

        What could not be told from the case again (options, thresholds, checks that apply to all cases) stays in its
        metadata under `promptfoo`, so that the test can be exported as it was.
        """
        whole = content_id([variables, checks])
        name = content_id(variables)
        if self._used.setdefault(name, whole) != whole:
            name = whole
        made = Case(
            id=name,
            input=variables,
            expected=checks.get("equals", [None])[0] if len(checks.get("equals", [])) == 1 else None,
            metadata={**metadata, **({"checks": checks} if checks else {})},
        )
        return made if whole_test is None else with_test(made, whole_test)


def _test_items(source: Source, test: Test, config: Test, maker: CaseMaker) -> Iterator[Item]:
    default = config.get("defaultTest")
    base = default if isinstance(default, dict) else {}
    own = [_resolved(item, config) for item in _list(test.get("assert"))]
    skip = (test.get("options") or {}).get("disableDefaultAsserts") if isinstance(test.get("options"), dict) else False
    mapped = map_assertions(([] if skip else _list(base.get("assert"))) + own)
    metadata = {**_dict(base.get("metadata")), **_dict(test.get("metadata"))}
    if test.get("description"):
        metadata["description"] = test["description"]
    whole = {**rest_of_test(base), **rest_of_test(test), "assert": ([] if skip else _list(base.get("assert"))) + own}
    for variables in _combinations(source, {**_dict(base.get("vars")), **_dict(test.get("vars"))}):
        yield maker.case(variables, metadata, mapped.values, whole)
    yield from mapped.checks


def rest_of_test(test: Test) -> Test:
    """What a test says beside variables, metadata and assertions."""
    return {key: value for key, value in test.items() if key not in ("vars", "metadata", "description", "assert")}


def _combinations(source: Source, variables: dict[str, Json]) -> Iterator[dict[str, Json]]:
    """A variable given as a list means one test for each value; several, for each combination."""
    lists = {name: value for name, value in variables.items() if isinstance(value, list) and value}
    count = 1
    for values in lists.values():
        count *= len(values)
    if count > MAX_COMBINATIONS:
        raise source.error(
            f"the variables of a test make {count:,} combinations; at most {MAX_COMBINATIONS:,} are read"
        )
    for chosen in itertools.product(*lists.values()):
        yield {**variables, **dict(zip(lists, chosen, strict=True))}


def _resolved(item: Json, config: Test) -> Json:
    """An assertion with its template filled in."""
    if not isinstance(item, dict) or not isinstance(item.get("$ref"), str):
        return item
    found: Json = config
    for part in item["$ref"].removeprefix("#/").split("/"):
        found = found.get(part) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {"type": item["$ref"]}


def _tests(source: Source, config: Test) -> Generator[Item, None, list[Test]]:
    tests: list[Test] = []
    given = config.get("tests")
    for item in given if isinstance(given, list) else [given] if given else []:
        if isinstance(item, dict):
            tests.append(item)
        else:
            tests += yield from _file_tests(source, str(item))
    for scenario in _list(config.get("scenarios")):
        tests += _scenario_tests(scenario)
    return tests


def _scenario_tests(scenario: Json) -> list[Test]:
    """Every test of a scenario with every set of its variables."""
    if not isinstance(scenario, dict):
        return []
    pairs = itertools.product(_list(scenario.get("config")), _list(scenario.get("tests")) or [{}])
    return [
        {**base, **test, "vars": {**_dict(base.get("vars")), **_dict(test.get("vars"))}}
        for base, test in pairs
        if isinstance(base, dict) and isinstance(test, dict)
    ]


def _file_tests(source: Source, reference: str) -> Generator[Item, None, list[Test]]:
    path = source.beside(reference.removeprefix("file://"))
    if path is None:
        yield source.bad(f"the tests are in `{reference}`, which is not beside this file")
        return []
    other = Source(path, name=f"{source.name} ({path.name})")
    found: list[Test] = []
    try:
        items = csv_tests(other) if path.suffix == ".csv" else _document_tests(other)
        for test in items:
            if isinstance(test, BadRow):
                yield test
            else:
                found.append(test)
    except ConfigError as error:
        yield source.bad(f"`{reference}` can't be read: {error.problems[0].message}")
    return found


def _document_tests(source: Source) -> Iterator[Test | BadRow]:
    if source.path.suffix == ".jsonl":
        yield from source.rows()
        return
    value = source.document() if source.path.suffix == ".json" else read_yaml(source)
    yield from (item for item in _list(value) if isinstance(item, dict))


def _prompts(source: Source, value: Json) -> Generator[Item, None, list[str]]:
    """The prompts' texts; files are read when they lie beside the configuration."""
    found: list[str] = []
    for item in value if isinstance(value, list) else [value] if value else []:
        text = item.get("raw") or item.get("id") if isinstance(item, dict) else item
        if not isinstance(text, str):
            continue
        name = text.removeprefix("file://")
        if not text.startswith("file://") and ("\n" in text or not PurePosixPath(text).suffix or " " in text):
            found.append(text)
            continue
        path = source.beside(name)
        if path is None:
            yield Note(text=f"the prompt file `{name}` is not beside {source.path.name}; add its text to the target")
        else:
            found += _prompt_file(Source(path))
    return found


def _prompt_file(source: Source) -> list[str]:
    text = source.text()
    if source.path.suffix == ".txt":
        return [part.strip() for part in re.split(r"^---\s*$", text, flags=re.MULTILINE) if part.strip()]
    return [text]


def _target(config: Test, prompts: list[str]) -> Iterator[Item]:
    provider = _first_provider(config.get("providers") or config.get("targets"))
    vendor, _, rest = provider.partition(":")
    if vendor not in _DIALECTS or not rest:
        if provider:
            yield Note(text=f"the provider `{provider}` has no counterpart; write the `target` of the suite yourself")
        return
    target: dict[str, Json] = {"type": "chat", "model": rest.rpartition(":")[2], "dialect": _DIALECTS[vendor]}
    if prompts:
        yield from _templates(target, prompts[0])
    if len(prompts) > 1:
        yield Note(text=f"{len(prompts)} prompts; the suite has the first, make a suite or a target for each other one")
    yield TargetHint(target=target)


def _templates(target: dict[str, Json], prompt: str) -> Iterator[Item]:
    text = _VARIABLE.sub(r"{{ input.\1 }}", prompt)
    if "{%" in text or "|" in "".join(re.findall(r"\{\{.*?\}\}", text)):
        yield Note(text="the prompt is a template with logic; check `prompt` of the target")
    target["prompt"] = text


def _first_provider(value: Json) -> str:
    first = value[0] if isinstance(value, list) and value else value
    if isinstance(first, dict):
        first = first.get("id") or next(iter(first), "")
    return first if isinstance(first, str) else ""


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _dict(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}
