"""Is the answer valid SQL, does it fit the tables, and does it only read?"""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar

import duckdb
from pydantic import Field

from evalwright.core.component import BindContext
from evalwright.core.errors import ConfigError, Problem
from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind
from evalwright.scorers.base import FieldPath, OptionError, RuleScorer, answer_text
from evalwright.scorers.formats.fences import last_block

_LONGEST = 20_000
_DEEPEST = 200
_MOST_SETS = 100
_SET_OPERATION = re.compile(r"\b(?:union|intersect|except)\b", re.IGNORECASE)
_FENCES = frozenset({"sql", "postgresql", "postgres", "duckdb", "sqlite", "mysql"})
_CLOSED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "disabled_optimizers": "expression_rewriter,statistics_propagation",
    "threads": "1",
    "memory_limit": "256MB",
    "lock_configuration": "true",
}
"""A database that reaches nothing outside and computes nothing while it plans."""


@dataclass(frozen=True)
class ValidSql(RuleScorer):
    """The answer is SQL that parses, fits the tables when they are given, and only reads.

    Parsed by DuckDB, whose dialect is close to PostgreSQL's; with `tables` each statement is also planned against them,
    which finds unknown tables and columns. Nothing is executed but the `CREATE TABLE` statements of the option, in
    memory, without access to files or the network.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="valid_sql", kind=ScoreKind.PROPORTION)

    _: KW_ONLY
    tables: Annotated[str | None, Field(description="`CREATE TABLE` statements to check names and types against.")] = (
        None
    )
    file: Annotated[str | None, Field(description="The same as a file beside the suite.")] = None
    read_only: Annotated[bool, Field(description="Statements that write are wrong.")] = True
    fenced: Annotated[bool, Field(description="Take the last SQL code block where there is one.")] = True
    field: FieldPath = None

    def __post_init__(self) -> None:
        """Refuse two sets of tables, and statements that do not work."""
        if self.tables is not None and self.file is not None:
            raise OptionError("give either `tables` or `file`, not both")
        if self.tables is not None:
            _ = self._database

    def bind(self, context: BindContext) -> ValidSql:
        """The scorer with its tables read from the file.

        Raises:
            ConfigError: The file can't be read or its statements do not work.
        """
        if self.file is None:
            return self
        path = Path(context.base_dir) / self.file
        try:
            return replace(self, tables=path.read_text(encoding="utf-8"), file=None)
        except (OSError, UnicodeError, OptionError) as error:
            problem = Problem(message=f"the tables can't be used: {error}", file=str(path))
            raise ConfigError([problem]) from error

    @cached_property
    def _database(self) -> Any:
        connection = duckdb.connect(":memory:", config=_CLOSED)
        try:
            connection.execute(self.tables or "")
        except duckdb.Error as error:
            raise OptionError(f"the tables can't be created: {error}") from error
        return connection

    def __getstate__(self) -> dict[str, Any]:
        """Options only: the database does not travel between processes."""
        return {key: value for key, value in vars(self).items() if key != "_database"}

    def judge(self, ctx: ScoreContext) -> Score:
        """1 when the statements are good, else 0 with what the parser or planner says."""
        text = answer_text(ctx, self.field)
        block = last_block(text, _FENCES) if self.fenced else None
        query = (text if block is None else block).strip()
        query.encode()  # DuckDB calls half a surrogate pair a wrong type
        fault = _excess(query) or self._fault(query)
        return Score.of(not fault, reason=fault[:500] or "valid SQL")

    def _fault(self, query: str) -> str:
        cursor = self._database.cursor()
        try:
            statements = cursor.extract_statements(query)
            others = [kind for kind in map(_kind, statements) if kind != "SELECT"]
            if self.read_only and others:
                return f"{others[0]} is more than reading"
            if self.tables is not None:
                for statement in statements:
                    cursor.execute(f"EXPLAIN {statement.query}").fetchall()
        except duckdb.Error as error:
            return str(error).strip().split("\n", 1)[0]
        finally:
            cursor.close()
        return "" if statements else "there is no statement"


def _kind(statement: Any) -> str:
    return str(statement.type).rpartition(".")[2]


def _excess(query: str) -> str:
    """Why a query is too large to be parsed safely, empty when it is not."""
    if len(query) > _LONGEST:
        return f"longer than {_LONGEST:,} characters"
    depth = deepest = 0
    for sign in query:
        depth += (sign in "([{") - (sign in ")]}")
        deepest = max(deepest, depth)
    if deepest > _DEEPEST or len(_SET_OPERATION.findall(query)) > _MOST_SETS:
        return "nested too deeply"
    return ""
