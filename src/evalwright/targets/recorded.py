"""Outputs that already exist, read from a file: scored without calling anything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from pydantic import Field

from evalwright.core.case import Json
from evalwright.core.component import BindContext
from evalwright.core.errors import ConfigError, Problem, TargetError
from evalwright.core.identity import content_id
from evalwright.core.output import Output
from evalwright.core.target import LimitKey, RateLimit, TargetCall
from evalwright.models import jsonio
from evalwright.models.secrets import expand
from evalwright.targets.answers import BadAnswer, identifier, output_of
from evalwright.targets.fields import Nothing, compile_field, compile_fields, follow
from evalwright.targets.options import TargetOptions, config_error
from evalwright.targets.rows import file_digest, format_of, read_rows
from evalwright.targets.rowstore import RowStore

_decode_output = msgspec.json.Decoder(Output).decode
_SHOWN_PROBLEMS = 5
_BROKEN = b"!"
_NULL = b"null"
_SPECIAL = ("id", "input", "trial")


class RecordedTargetOptions(TargetOptions):
    """Outputs that already exist, in a JSONL, JSON, CSV or Parquet file: no call is made.

    A case's answer is found by its id, or by its input where the file has no ids. What `fields` does not name is taken
    from columns called like the fields of an output (`text`, `contexts`, `citations`, `usage`, `cost`, `latency_s` …).
    """

    file: str = Field(
        description="Path of the file, from the suite file; JSONL and CSV may be gzipped; `${NAME}` is filled in."
    )
    format: Literal["jsonl", "json", "csv", "parquet"] | None = Field(
        None, description="Format of the file; from its name when not given."
    )
    fields: dict[str, str | dict[str, Any]] = Field(
        default_factory=dict,
        description=(
            "Which column or dotted path feeds which output field: `{ id: id, text: answer, contexts: passages }`. "
            "`id` is the case's id; `input` instead finds answers by the case's input; `trial` is the repetition's "
            "number. A mapping builds an object (`usage: { input_tokens: prompt, output_tokens: completion }`); one "
            "with `path` maps the items of a list (`contexts: { path: passages, id: document_id, text: text }`)."
        ),
    )
    where: dict[str, Any] = Field(
        default_factory=dict,
        description="Take only rows in which these columns have these values (or one of a list): `{ model: gpt-4o }`.",
    )
    from_input: dict[str, str | dict[str, Any]] = Field(
        default_factory=dict,
        description="Output fields taken from the case's own input, by path: `{ contexts: contexts }`.",
    )

    def bind(self, context: BindContext) -> RecordedTarget:
        """Check the file and the fields.

        Raises:
            ConfigError: The file does not exist, or a field is unknown.
        """
        filled = self.model_copy(
            update={name: _filled(getattr(self, name), context, name) for name in ("file", "fields", "where")}
        )
        path = context.base_dir / filled.file
        if not path.is_file():
            raise config_error(
                f"there is no file `{filled.file}`", key="file", hint="paths are relative to the suite file"
            )
        return RecordedTarget(filled, path)


def _filled(value: Any, context: BindContext, key: str) -> Any:
    """The value with `${NAME}` filled in wherever it holds text."""
    if isinstance(value, str):
        return expand(value, context.environment, key=key)
    if isinstance(value, dict):
        return {name: _filled(item, context, f"{key}.{name}") for name, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, context, key) for item in value]
    return value


class RecordedTarget:
    """Answers every case from a file; `open` reads it once into a lean index.

    Args:
        options: What to read and how.
        path: The file.

    Raises:
        ConfigError: A field is unknown.
    """

    recorded = True

    def __init__(self, options: RecordedTargetOptions, path: Path) -> None:
        self.options = options
        self.path = path
        self._format = format_of(path, options.format)
        self._mapping = _Mapping(options.fields)
        self._from_input = compile_fields(options.from_input, "from_input")
        self._rows = RowStore()
        self._problems: list[str] = []
        self._bad = 0
        self._digest: tuple[int, int, str] | None = None

    @property
    def name(self) -> str:
        """The file's name, with the rows chosen."""
        chosen = ", ".join(f"{key}={value}" for key, value in self.options.where.items())
        return self.path.name + (f" ({chosen})" if chosen else "")

    @property
    def limit_key(self) -> LimitKey | None:
        """None: nothing is called."""
        return None

    @property
    def rate_limit(self) -> RateLimit | None:
        """None: nothing is called."""
        return None

    @property
    def problems(self) -> tuple[str, ...]:
        """The first rows that could not be read, each with line and reason; known after `open`."""
        return tuple(self._problems)

    def describe(self) -> dict[str, Json]:
        """The file's name and content hash, and the mapping."""
        options = self.options
        chosen = {name: getattr(options, name) for name in ("fields", "where", "from_input")}
        described = {"type": "recorded", "file": Path(options.file).name, "sha256": self._file_digest()}
        return described | {name: value for name, value in chosen.items() if value}

    async def open(self) -> None:
        """Read the file.

        Raises:
            ConfigError: It can't be read, two rows are for the same case and trial, or no row is left.
        """
        if not len(self._rows):
            await asyncio.to_thread(self._load)

    async def close(self) -> None:
        """Give the memory back."""
        self._rows.close()

    async def respond(self, call: TargetCall) -> Output:
        """The recorded answer to one case.

        Raises:
            TargetError: There is none or it is null (kind `missing`), or values have wrong types (`malformed`).
        """
        key = content_id(call.input) if self._mapping.by_input else call.case_id
        found = self._rows.find(_key(key, call.trial))
        if found is None:
            raise self._missing(call, key)
        line, record = found
        if record[:1] == _BROKEN:
            raise TargetError(f"{self.path.name}:{line}: {record[1:].decode()}", kind="malformed")
        if record == _NULL:
            # A null is no empty answer: whoever recorded it had none.
            raise TargetError(f"{self.path.name}:{line}: the recorded text is null", kind="missing")
        output = _decode_output(record)
        return self._with_input_parts(output, call) if self._from_input else output

    def _with_input_parts(self, output: Output, call: TargetCall) -> Output:
        taken = {name: part(call.input) for name, part in self._from_input.items()}
        try:
            extra = output_of({name: value for name, value in taken.items() if value is not Nothing})
        except BadAnswer as error:
            raise TargetError(f"from the case's input: {error}", kind="malformed") from None
        present = [name for name, value in taken.items() if value is not Nothing and value is not None]
        return msgspec.structs.replace(output, **{name: getattr(extra, name) for name in present})

    def _load(self) -> None:
        self._problems, self._bad = [], 0
        for row in read_rows(self.path, self._format):
            if row.values is None:
                self._set_aside(row.line, row.problem)
            elif all(_matches(follow(row.values, path), wanted) for path, wanted in self.options.where.items()):
                self._add(row.line, row.values)
        duplicates = self._rows.seal()
        if duplicates:
            self._rows.close()
            raise self._duplicate(duplicates)
        if not len(self._rows):
            raise self._empty()

    def _add(self, line: int, values: dict[str, Json]) -> None:
        try:
            key = self._mapping.key(values)
        except BadAnswer as error:
            self._set_aside(line, str(error))
            return
        try:
            output = self._mapping.output(values)
            record = jsonio.encode(output) if output is not None else _NULL
        except BadAnswer as error:
            record = _BROKEN + jsonio.clean_text(str(error)).encode()
        self._rows.add(key, line, record)

    def _set_aside(self, line: int, problem: str) -> None:
        self._bad += 1
        if len(self._problems) < _SHOWN_PROBLEMS:
            self._problems.append(f"line {line}: {problem}")

    def _missing(self, call: TargetCall, key: str) -> TargetError:
        what = f"no recorded output for case `{call.case_id}`"
        if call.trial and self._rows.find(_key(key, 0)) is not None:
            once = "; each case is recorded once: map a `trial` column, or run one trial"
            hint = "" if self._mapping.has_trial else once
            return TargetError(f"{what}, trial {call.trial}, in {self.name}{hint}", kind="missing")
        bad = f"; {self._bad} rows could not be read: {'; '.join(self._problems)}" if self._bad else ""
        by = " (looked up by input)" if self._mapping.by_input else ""
        return TargetError(f"{what}{by} in {self.name}{bad}", kind="missing")

    def _duplicate(self, duplicates: list[tuple[int, int]]) -> ConfigError:
        name, hint = self.path.name, "choose rows with `where`, or map a `trial` column"
        return ConfigError(
            [
                Problem(message=f"`{name}`: lines {first} and {second} are for the same case", key="file", hint=hint)
                for first, second in duplicates[:10]
            ]
        )

    def _empty(self) -> ConfigError:
        reasons = f"; could not be read: {'; '.join(self._problems)}" if self._problems else ""
        hint = "look at `where` and `fields`" if self.options.where or self.options.fields else ""
        return config_error(f"`{self.path.name}` has no usable row{reasons}", key="file", hint=hint)

    def _file_digest(self) -> str:
        stat = self.path.stat()
        if self._digest is None or self._digest[:2] != (stat.st_size, stat.st_mtime_ns):
            self._digest = (stat.st_size, stat.st_mtime_ns, file_digest(self.path))
        return self._digest[2]


class _Mapping:
    """From a row to its key and its output."""

    def __init__(self, fields: Mapping[str, str | dict[str, Any]]) -> None:
        self.by_input = "input" in fields
        self.has_trial = "trial" in fields
        if self.by_input and "id" in fields:
            raise config_error("both `id` and `input` are given", key="fields", hint="answers are found by one of them")
        self._id = compile_field(fields.get("id", "id"), "fields.id")
        self._input = compile_field(fields.get("input", "input"), "fields.input")
        self._trial = compile_field(fields.get("trial", "trial"), "fields.trial")
        own = {name: spec for name, spec in fields.items() if name not in _SPECIAL}
        self._named = compile_fields(own, "fields")
        self._parts: dict[str, Callable[[Json], Any]] = {**_own_columns(), **self._named}

    def key(self, row: dict[str, Json]) -> str:
        """What the row is found by.

        Raises:
            BadAnswer: It has no id, or its trial is not a number.
        """
        trial = self._trial(row) if self.has_trial else 0
        try:
            number = int(trial)
        except (TypeError, ValueError):
            raise BadAnswer(f"trial `{trial}` is not a whole number") from None
        source = self._input(row) if self.by_input else self._id(row)
        if source is Nothing or source is None:
            raise BadAnswer("the row has no input" if self.by_input else "the row has no id")
        return _key(content_id(source) if self.by_input else identifier(source, "id"), number)

    def output(self, row: dict[str, Json]) -> Output | None:
        """The row's output; None when its text is null.

        Raises:
            BadAnswer: A value has the wrong type, or a text was named that the row does not have.
        """
        values = {name: part(row) for name, part in self._parts.items()}
        found = {name: value for name, value in values.items() if value is not Nothing and value != ""}
        if values["text"] is Nothing and "text" in self._named:
            raise BadAnswer("the row has no value where `text` is taken from")
        return output_of(found) if values["text"] is not None else None


def _own_columns() -> dict[str, Callable[[Json], Any]]:
    return {name: compile_field(name, name) for name in Output.__struct_fields__}


def _key(identity: str, trial: int) -> str:
    return f"{trial}/{identity}"


def _matches(value: Any, wanted: Any) -> bool:
    choices = wanted if isinstance(wanted, list) else [wanted]
    return any(value == choice or (value is not Nothing and str(value) == str(choice)) for choice in choices)
