import gc
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from evalwright.core.case import BadRow, Case
from evalwright.core.errors import ConfigError, UsageError
from evalwright.datasets.importers import Query, Source, read_query
from evalwright.datasets.importers.query import database_url
from evalwright.services.golden import Goldens
from evalwright.services.importing import ImportPlan, import_file
from evalwright.store.workspace import Workspace
from tests.postgres import postgres


def items(query, fields=None, environment=None):
    source = Source(Path("query"), name="query", fields=fields or {})
    return read_query(query, source, environment)


def cases(query, **more):
    return [item for item in items(query, **more) if isinstance(item, (Case, BadRow))]


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "tickets of 5%.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table tickets(id integer, Body text, Label text, raw blob)")
        rows = [(n, f"ticket {n}: 5% :off", "spam" if n % 2 else "ham", b"\0" if n == 3 else None) for n in range(10)]
        connection.executemany("insert into tickets values(?, ?, ?, ?)", rows)
    connection.close()
    return path


def test_rows_of_a_database_become_cases_by_a_guessed_mapping(database):
    found = cases(
        Query(url=f"sqlite:///{database}", sql="SELECT * FROM tickets WHERE Body LIKE '%5% :off' ORDER BY id")
    )
    assert found[0] == Case(id="0", input="ticket 0: 5% :off", expected="ham")
    assert isinstance(found[3], BadRow)
    assert (found[3].line, "bytes" in found[3].reason) == (4, True)
    assert len(found) == 10


def test_a_mapping_may_be_asked_for(database):
    query = Query(url=f"sqlite:///{database}", sql="SELECT id, Body, Label FROM tickets LIMIT 1")
    assert cases(query, fields={"input": "Label", "id": "id"})[0].input == "ham"


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("DELETE FROM tickets", "begins with `DELETE`"),
        ("/* SELECT */ drop table tickets", "begins with `drop`"),
        ("-- nothing", "the query is empty"),
        ("WITH x AS (SELECT 1) INSERT INTO tickets SELECT 1, 2, 3, 4", "readonly database"),
        ("SELECT 1; DROP TABLE tickets", "one statement"),
        ("SELECT id, id FROM tickets", "two columns the name `id`"),
        ("SELECT gone FROM tickets", "no such column"),
    ],
)
def test_a_database_is_only_read(database, sql, said):
    before = database.read_bytes()
    with pytest.raises((ConfigError, UsageError), match=said):
        cases(Query(url=f"sqlite:///{database}", sql=sql))
    assert database.read_bytes() == before


def test_a_file_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(ConfigError, match="there is no SQLite file"):
        cases(Query(url=f"sqlite:///{tmp_path}/none.db", sql="SELECT 1"))
    assert list(tmp_path.iterdir()) == []


def test_the_password_stands_in_a_variable_and_nowhere_else():
    environment = {"PW": "p@ss/w:rd%", "WHOLE": "mysql://u:p@h/d"}
    url, _ = database_url("postgresql://me:${PW}@host:5433/db", environment)
    assert (url.drivername, url.password, url.host) == ("postgresql+psycopg", "p@ss/w:rd%", "host")
    assert database_url("${WHOLE}", environment)[0].password == "p"
    for text in ("postgresql://me:literal@host/db", "mysql://host/db?password=literal"):
        with pytest.raises(UsageError, match="holds a password"):
            database_url(text, environment)
    with pytest.raises(ConfigError, match="`GONE` is not set"):
        database_url("postgresql://me:${GONE}@host/db", environment)
    with pytest.raises(UsageError, match="no SQLAlchemy URL"):
        database_url("tickets", environment)


def test_duckdb_joins_the_files_it_was_given(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"id": 1, "q": "one"}\n{"id": 2, "q": "two"}\n')
    (tmp_path / "b.csv").write_text("id,label\n1,x\n2,y\n")
    tables = f"'{tmp_path}/a.jsonl' JOIN '{tmp_path}/b.csv' USING (id)"
    sql = f"SELECT id, q AS input, label AS expected FROM {tables} ORDER BY 1"
    files = (tmp_path / "a.jsonl", tmp_path / "b.csv")
    assert [(c.id, c.input, c.expected) for c in cases(Query(sql=sql, files=files))] == [
        ("1", "one", "x"),
        ("2", "two", "y"),
    ]
    with pytest.raises(ConfigError, match="may be read"):
        cases(Query(sql=sql, files=files[:1]))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM 'https://example.com/a.csv'",
        "COPY (SELECT 1) TO '{file}'",
        "WITH x AS (SELECT 1) SELECT 1; INSTALL httpfs",
        "SELECT * FROM secret_of_the_caller",
        "SELECT getenv('HOME')",
    ],
)
def test_duckdb_opens_nothing_else_and_writes_nothing(tmp_path, sql):
    secret_of_the_caller = {"a": [1]}
    file = tmp_path / "a.csv"
    file.write_text("id,input\n1,one\n")
    with pytest.raises((ConfigError, UsageError)):
        cases(Query(sql=sql.format(file=file), files=(file,)))
    assert file.read_text() == "id,input\n1,one\n"
    assert secret_of_the_caller


def test_what_was_read_before_the_source_broke_is_kept_and_the_set_is_as_it_was(tmp_path):
    workspace = Workspace.open(tmp_path / "ws")
    with sqlite3.connect(tmp_path / "n.db") as connection:
        connection.execute("create table n(n integer, body text)")
        connection.executemany("insert into n values(?, ?)", [(n, f"text {n}") for n in range(3_000)])
    connection.close()
    sql = (
        "SELECT n AS id, body AS input, CASE WHEN n = 2900 THEN abs(-9223372036854775808) ELSE 1 END AS expected FROM n"
    )
    query = Query(sql=sql, url=f"sqlite:///{tmp_path}/n.db")
    with pytest.raises(ConfigError, match=r"the connection broke after 2,\d{3} rows") as caught:
        import_file(ImportPlan(path=tmp_path / "n", query=query, keep=tmp_path / "kept"))
    assert "incomplete.jsonl: import them" in str(caught.value)
    assert Goldens(workspace).logs.names() == []
    with import_file(ImportPlan(path=tmp_path / "kept" / "incomplete.jsonl")) as found:
        assert 2_000 <= found.report.cases < 3_000


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*was deleted while still open")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_real_postgresql(tmp_path):
    with postgres() as (url, password):
        environment = {"TEST_DB_PASSWORD": password}
        engine = sa.create_engine(database_url(url, environment)[0])
        with engine.begin() as connection:
            columns = "n AS id, repeat('word ', 100) || n AS body, '{\"a\": [1]}'::jsonb AS detail, now() AS at"
            rows = f"SELECT {columns}, '10.0.0.1'::inet AS ip FROM generate_series(1, 20000) n"
            connection.exec_driver_sql(f"CREATE TABLE tickets AS {rows}")
        sql = "SELECT id, body, detail, at, ip, '5%' AS percent FROM tickets ORDER BY id"
        found = cases(Query(url=url, sql=sql), environment=environment)
        assert len(found) == 20_000
        assert found[0].metadata["detail"] == {"a": [1]}
        assert (found[0].metadata["ip"], found[0].metadata["percent"]) == ("10.0.0.1", "5%")
        _writes_nothing(url, environment)
        _broken_midway(url, environment, engine)
        _wrong_password(url)
        engine.dispose()
    gc.collect()  # the driver complains of cursors whose server has gone


def _writes_nothing(url, environment):
    for sql in ["WITH x AS (DELETE FROM tickets RETURNING id) SELECT * FROM x", "SELECT 1; DROP TABLE tickets"]:
        with pytest.raises(ConfigError, match="the query failed"):
            cases(Query(url=url, sql=sql), environment=environment)


def _broken_midway(url, environment, engine):
    reading = items(Query(url=url, sql="SELECT id, body FROM tickets"), environment=environment)
    for _ in range(1_500):
        next(reading)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query <> ''"
        )
    with pytest.raises(ConfigError, match=r"the connection broke after [\d,]+ rows"):
        for _ in reading:
            pass


def _wrong_password(url):
    with pytest.raises(ConfigError, match="the query failed") as caught:
        cases(Query(url=url, sql="SELECT 1"), environment={"TEST_DB_PASSWORD": "wrong-and-secret"})
    assert "wrong-and-secret" not in str(caught.value)
