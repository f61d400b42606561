"""The formats by name, and which of them a file has."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from evalwright.core.case import Case, Json
from evalwright.core.errors import ConfigError, UsageError
from evalwright.datasets.importers import (
    deepeval,
    harnesses,
    inspect_logs,
    label_studio,
    openai_evals,
    openai_hosted,
    promptfoo,
    promptfoo_results,
    ragas,
    tables,
    traces,
)
from evalwright.datasets.importers.items import Item
from evalwright.datasets.importers.source import Source, decode_json, head_of
from evalwright.datasets.importers.values import as_dict, as_list
from evalwright.datasets.importers.yaml_file import read_yaml
from evalwright.datasets.rows import RowError


class Format(NamedTuple):
    """One format: how it is read and what it is, in words."""

    read: Callable[[Source], Iterator[Item]]
    about: str


FORMATS: dict[str, Format] = {
    "promptfoo": Format(promptfoo.read_config, "promptfoo configuration (YAML, JSON)"),
    "promptfoo-csv": Format(promptfoo.read_tests_csv, "promptfoo tests as CSV"),
    "promptfoo-results": Format(promptfoo_results.read_results, "promptfoo results as JSON"),
    "promptfoo-results-jsonl": Format(promptfoo_results.read_results_lines, "promptfoo results as JSON Lines"),
    "promptfoo-table": Format(promptfoo_results.read_table_csv, "promptfoo results as a CSV table"),
    "openai-evals": Format(openai_evals.read_samples, "OpenAI Evals samples"),
    "openai-registry": Format(openai_evals.read_registry, "OpenAI Evals registry (YAML)"),
    "openai-modelgraded": Format(openai_evals.read_modelgraded, "OpenAI Evals model-graded specification (YAML)"),
    "openai-log": Format(openai_evals.read_log, "OpenAI Evals log of a run"),
    "openai-hosted": Format(openai_hosted.read_items, "OpenAI hosted Evals: items of a run"),
    "openai-definition": Format(openai_hosted.read_definition, "OpenAI hosted Evals: definition with graders"),
    "inspect": Format(inspect_logs.read_json_log, "Inspect log as JSON"),
    "inspect-eval": Format(inspect_logs.read_archive, "Inspect log archive (.eval)"),
    "lm-eval": Format(harnesses.read_lm_eval, "lm-evaluation-harness samples"),
    "deepeval": Format(deepeval.read_goldens, "DeepEval goldens"),
    "deepeval-run": Format(deepeval.read_test_run, "DeepEval test run"),
    "ragas": Format(ragas.read_dataset, "Ragas dataset or experiment"),
    "ragas-annotations": Format(ragas.read_annotations, "Ragas annotations"),
    "giskard": Format(harnesses.read_giskard, "Giskard test set"),
    "autoevals": Format(harnesses.read_autoevals, "autoevals cases"),
    "label-studio": Format(label_studio.read_tasks, "Label Studio tasks"),
    "langfuse": Format(traces.read_langfuse, "Langfuse dataset items or traces"),
    "phoenix": Format(traces.read_phoenix, "Phoenix dataset examples"),
    "otlp": Format(traces.read_otlp, "OpenTelemetry GenAI traces (OTLP JSON)"),
    "excel": Format(tables.read_excel, "Excel workbook (.xlsx)"),
    "rows": Format(tables.read_plain, "plain rows: JSONL, JSON, CSV, Parquet"),
}
"""Every format that can be imported, by the name `--format` takes."""

QUERIES = {"sql": "rows of a database", "duckdb": "rows of a DuckDB query"}
"""What the rows of queries are called in reports."""


def read_import(source: Source, name: str) -> Iterator[Item]:
    """The items of a file of a known format.

    Raises:
        UsageError: There is no format of this name.
        ConfigError: The file as a whole can't be read; also while iterating.
    """
    if name not in FORMATS:
        raise UsageError(f"unknown format `{name}`", hint=f"there are: {', '.join(FORMATS)}")
    return _with_inputs(source, FORMATS[name].read(source))


def _with_inputs(source: Source, items: Iterator[Item]) -> Iterator[Item]:
    """A case without input is a bad row, whatever the format."""
    for item in items:
        if isinstance(item, Case) and item.input is None:
            yield source.bad("no input", {"id": item.id})
        else:
            yield item


def guess_format(path: Path) -> str:
    """The format of a file, from its name and beginning (of JSON documents, the whole).

    Raises:
        ConfigError: It is none of those known, or can't be read.
    """
    name = path.name.lower().removesuffix(".gz").removesuffix(".zst")
    suffix = Path(name).suffix
    if suffix in (".eval", ".xlsx", ".xlsm") or (suffix == ".zip" and zipfile.is_zipfile(path)):
        return "inspect-eval" if suffix in (".eval", ".zip") else "excel"
    if suffix in (".yaml", ".yml"):
        return _of_yaml(path)
    if suffix in (".csv", ".tsv"):
        return _of_csv(head_of(path).decode("utf-8", "replace"))
    if suffix in (".parquet", ".pq"):
        return "rows"
    if suffix in (".jsonl", ".ndjson"):
        return _of_lines(head_of(path))
    if suffix == ".json":
        return _of_json(path)
    raise Source(path).error("the format can't be told from the name", hint=_companion(path))


def _companion(path: Path) -> str:
    """What to import instead of a file that only belongs to another one."""
    configs = sorted(p.name for p in path.parent.iterdir() if p.suffix in (".yaml", ".yml"))
    if path.suffix == ".txt" and configs:
        return f"it looks like a prompt of {configs[0]}; import that"
    if path.suffix == ".xml":
        return "a labelling configuration holds no cases; import the exported tasks (JSON)"
    return f"name it with --format to import it: {', '.join(FORMATS)}"


def _of_yaml(path: Path) -> str:
    source = Source(path)
    value = as_dict(read_yaml(source))
    entries = [as_dict(entry) for entry in value.values()]
    if promptfoo.is_config(value):
        return "promptfoo"
    if any("class" in entry for entry in entries):
        return "openai-registry"
    if any("prompt" in entry and ("choice_strings" in entry or "input_outputs" in entry) for entry in entries):
        return "openai-modelgraded"
    raise source.error(
        "neither a promptfoo configuration nor an OpenAI Evals file", hint="name the format with --format"
    )


def _of_csv(head: str) -> str:
    header = head.partition("\n")[0]
    if "__expected" in header or "__description" in header:
        return "promptfoo-csv"
    if head.lstrip('"').startswith("[") or "[PASS]" in head or "[FAIL]" in head:
        return "promptfoo-table"
    if "user_input" in header:
        return "ragas"
    return "rows"


_LINE_KEYS: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"spec"}), "openai-log"),
    (frozenset({"datasource_item"}), "openai-hosted"),
    (frozenset({"item", "sample"}), "openai-hosted"),
    (frozenset({"item", "grades"}), "openai-hosted"),
    (frozenset({"doc_id", "doc"}), "lm-eval"),
    (frozenset({"promptIdx", "testIdx"}), "promptfoo-results-jsonl"),
    (frozenset({"gradingResult", "vars"}), "promptfoo-results-jsonl"),
    (frozenset({"resourceSpans"}), "otlp"),
    (frozenset({"user_input"}), "ragas"),
    (frozenset({"question", "reference_answer"}), "giskard"),
)


def _of_lines(head: bytes) -> str:
    row = _first_object(head)
    keys = row.keys()
    if keys == {"item"} and isinstance(row["item"], dict):
        return "openai-hosted"
    for needed, name in _LINE_KEYS:
        if needed <= keys:
            return name
    return _of_row(row)


def _of_row(row: dict[str, Json]) -> str:
    if deepeval.is_goldens([row]):
        return "deepeval"
    if traces.is_langfuse(row):
        return "langfuse"
    if "ideal" in row and "input" in row:
        return "openai-evals"
    return "phoenix" if traces.is_phoenix(row) else "rows"


def _first_object(head: bytes) -> dict[str, Json]:
    for line in head.splitlines():
        if line.strip():
            try:
                return as_dict(decode_json(line))
            except RowError:
                return _keys_of_beginning(line)
    return {}


def _keys_of_beginning(line: bytes) -> dict[str, Json]:
    """Keys of a first line too long to be read whole here: those that can be seen at its beginning."""
    text = line.decode("utf-8", "replace")
    return {key: None for names, _ in _LINE_KEYS for key in names if f'"{key}"' in text}


_DOCUMENTS: tuple[tuple[Callable[[Json], bool], str], ...] = (
    (inspect_logs.is_log, "inspect"),
    (openai_hosted.is_definition, "openai-definition"),
    (deepeval.is_test_run, "deepeval-run"),
    (traces.is_otlp, "otlp"),
    (ragas.is_annotations, "ragas-annotations"),
    (harnesses.is_autoevals, "autoevals"),
    (label_studio.is_tasks, "label-studio"),
    (deepeval.is_goldens, "deepeval"),
    (promptfoo.is_config, "promptfoo"),
)


def _of_json(path: Path) -> str:
    source = Source(path)
    try:
        value = source.document()
    except ConfigError:
        head = head_of(path)
        if _first_object(head):
            return _of_lines(head)
        raise
    for test, name in _DOCUMENTS:
        if test(value):
            return name
    return _of_object(value, path)


def _of_object(value: Json, path: Path) -> str:
    if isinstance(value, dict):
        results = value.get("results")
        rows = as_list(as_dict(results).get("results") if isinstance(results, dict) else results)
        if rows and {"prompt", "success"} & as_dict(rows[0]).keys():
            return "promptfoo-results"
        if "observations" in value:
            return "langfuse"
    data = as_dict(value).get("data", value)
    inner = as_list(data.get("examples") if isinstance(data, dict) else data)
    row = as_dict((inner or [None])[0])
    if isinstance(value, list) and row.keys() == {"role", "content"}:
        raise Source(path).error("a chat prompt, no list of cases", hint="import the file that names it as a prompt")
    return "openai-hosted" if "datasource_item" in row else _of_row(row)
