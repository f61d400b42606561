"""A production mix given as a table: how much of the traffic each slice value is."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from evalwright.analysis.crossing import SIGN
from evalwright.analysis.figures import value_text
from evalwright.core.case import Json
from evalwright.core.errors import ConfigError, Problem, UsageError

SHARE_NAMES = ("share", "weight", "count", "traffic")


@dataclass(frozen=True, slots=True, kw_only=True)
class MixTable:
    """A production mix.

    Attributes:
        dimension: The slice, or combination of slices, it is about: `locale & tier`.
        shares: By label (`locale=de & tier=1`): share on any positive scale.
    """

    dimension: str
    shares: Mapping[str, float]


def read_mix(text: str) -> MixTable:
    """A mix from a table in a file, or written in place.

    A CSV file has one column per slice and one named `share` (or `weight`, `count`, `traffic`); a JSON file is a list
    of such rows, or `{"locale": {"de": 0.3, "en": 0.7}}`. In place: `locale: de=0.3, en=0.7`.

    Raises:
        ConfigError: The file can't be read as such a table; the message says where.
        UsageError: There is no such file, and the text is no mix either.
    """
    path = Path(text)
    if path.suffix.lower() in {".csv", ".json"}:
        return _from_file(path)
    return _in_place(text)


def _in_place(text: str) -> MixTable:
    dimension, colon, rest = text.partition(":")
    pairs = [part.rpartition("=") for part in rest.split(",") if part.strip()]
    if not colon or not pairs or not all(sign for _, sign, _ in pairs):
        raise UsageError(f"{text!r} is no mix", hint="name a .csv or .json file, or write `locale: de=0.3, en=0.7`")
    name = dimension.strip()
    return MixTable(
        dimension=name, shares={f"{name}={value.strip()}": _number(share, text) for value, _, share in pairs}
    )


def _number(text: str, place: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise UsageError(f"{text.strip()!r} in {place!r} is no number") from error


def _from_file(path: Path) -> MixTable:
    try:
        content = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"the mix {path} can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _problem(path, "it is not UTF-8 text") from error
    if path.suffix.lower() == ".csv":
        return _from_rows(path, csv.DictReader(io.StringIO(content)), first_line=2)
    return _from_json(path, content)


def _from_json(path: Path, content: str) -> MixTable:
    try:
        value: Json = json.loads(content)
    except ValueError as error:
        raise _problem(path, f"it is no JSON: {error}") from error
    if isinstance(value, dict) and len(value) == 1:
        name, shares = next(iter(value.items()))
        if isinstance(shares, dict):
            rows = [{name: key, "share": share} for key, share in shares.items()]
            return _from_rows(path, rows, first_line=1)
    if isinstance(value, list) and all(isinstance(row, dict) for row in value):
        return _from_rows(path, value, first_line=1)
    raise _problem(path, "it is neither a list of rows nor an object of one slice")


def _from_rows(path: Path, rows: Iterable[Mapping[str, Json]], *, first_line: int) -> MixTable:
    shares: dict[str, float] = {}
    dimension = ""
    for line, row in enumerate(rows, start=first_line):
        column = next((name for name in SHARE_NAMES if name in row), None)
        names = [name for name in row if name != column and name]
        if column is None or not names:
            raise _problem(path, f"a row needs slice columns and one of {', '.join(SHARE_NAMES)}", line)
        dimension = dimension or f" {SIGN} ".join(names)
        label = f" {SIGN} ".join(f"{name}={value_text(row[name])}" for name in names)
        if label in shares:
            raise _problem(path, f"{label} comes twice", line)
        shares[label] = _share(path, row[column], line)
    if not shares:
        raise _problem(path, "it has no rows")
    return MixTable(dimension=dimension, shares=shares)


def _share(path: Path, value: Json, line: int) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise _problem(path, f"the share {value!r} is no number", line) from error


def _problem(path: Path, message: str, line: int = 0) -> ConfigError:
    hint = "a table such as: locale,share / de,0.3 / en,0.7"
    return ConfigError(
        [Problem(message=f"the mix can't be read: {message}", file=str(path), line=line, column=1, hint=hint)]
    )
