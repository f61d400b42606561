import csv
import gzip
import json

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalwright.core.errors import ConfigError
from evalwright.core.output import Passage, Usage
from evalwright.targets.fields import Nothing, follow
from evalwright.targets.recorded import RecordedTargetOptions
from evalwright.targets.rowstore import RowStore
from tests.shared_data import shared_data
from tests.unit.targets.kit import answer, call, context, failure, opened

ROWS = [
    {"id": "a", "answer": "one", "model": "m1", "passages": [{"document_id": "d1", "text": "t1"}], "tokens": 7},
    {"id": "b", "answer": "", "model": "m1", "passages": [], "tokens": 0},
    {"id": 3, "answer": "drei ü", "model": "m1", "passages": ["plain"], "tokens": 1},
]
FIELDS = {
    "id": "id",
    "text": "answer",
    "contexts": {"path": "passages", "id": "document_id", "text": "text"},
    "usage": {"output_tokens": "tokens"},
}


def write(path, rows):
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    if path.name.endswith(".jsonl"):
        path.write_bytes(lines)
    elif path.name.endswith(".jsonl.gz"):
        path.write_bytes(gzip.compress(lines))
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows))
    elif path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8-sig") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows({k: json.dumps(v) if isinstance(v, list) else v for k, v in row.items()} for row in rows)
    else:
        source = path.with_suffix(".source.jsonl")
        source.write_bytes("".join(json.dumps({**row, "id": str(row["id"])}) + "\n" for row in rows).encode())
        duckdb.sql(f"COPY (SELECT * FROM read_json('{source}')) TO '{path}' (FORMAT parquet)")


def recorded(folder, name="outputs.jsonl", rows=None, **options):
    if rows is not None:
        write(folder / name, rows)
    return RecordedTargetOptions(file=name, **options).bind(context(folder))


@pytest.mark.parametrize("name", ["o.jsonl", "o.jsonl.gz", "o.json", "o.csv", "o[1]*.parquet"])
async def test_every_format_reads_the_same(tmp_path, name):
    rows = ROWS[:2] if name.endswith("parquet") else ROWS
    async with opened(recorded(tmp_path, name, rows, fields=FIELDS)) as target:
        one = await target.respond(call(case_id="a"))
        assert one.text == "one"
        assert one.contexts == (Passage(id="d1", text="t1"),)
        assert one.usage == Usage(output_tokens=7)
        assert (await target.respond(call(case_id="b"))).text == ""
        if len(rows) > 2:
            assert (await target.respond(call(case_id="3"))).contexts == (Passage(text="plain"),)
    assert target.limit_key is None


async def test_columns_named_like_output_fields_need_no_mapping(tmp_path):
    rows = [{"id": "a", "text": "t", "cost": 0.5, "latency_s": 2, "citations": ["x"], "other": 1}]
    output = await answer(recorded(tmp_path, rows=rows))
    assert (output.text, output.cost, output.latency_s, output.citations) == ("t", 0.5, 2.0, ("x",))


async def test_rows_are_chosen(tmp_path):
    rows = [
        {"id": "a", "text": model, "meta": {"model": model, "n": index}} for index, model in enumerate(["m1", "m2"])
    ]
    assert (await answer(recorded(tmp_path, rows=rows, where={"meta.model": "m2"}))).text == "m2"
    assert (await answer(recorded(tmp_path, rows=rows, where={"meta.model": ["m0", "m1"]}))).text == "m1"
    assert (await answer(recorded(tmp_path, rows=rows, where={"meta.n": "1"}))).text == "m2"
    with pytest.raises(ConfigError, match="no usable row") as raised:
        await answer(recorded(tmp_path, rows=rows, where={"meta.model": "m3"}))
    assert "where" in raised.value.problems[0].hint


async def test_trials(tmp_path):
    rows = [{"id": "a", "text": f"t{n}", "try": str(n)} for n in range(3)]
    fields = {"trial": "try"}
    assert (await answer(recorded(tmp_path, rows=rows, fields=fields), trial=2)).text == "t2"
    error = await failure(recorded(tmp_path, rows=rows, fields=fields), trial=3)
    assert (error.kind, error.retryable) == ("missing", False)


async def test_an_answer_recorded_once_is_not_used_for_other_trials(tmp_path):
    error = await failure(recorded(tmp_path, rows=[{"id": "a", "text": "t"}]), trial=1)
    assert "map a `trial` column" in error.message


async def test_answers_are_found_by_input(tmp_path):
    rows = [{"q": "What?", "lang": "en", "text": "this"}, {"q": "Was?", "lang": "de", "text": "das"}]
    target = recorded(tmp_path, rows=rows, fields={"input": "q"})
    assert (await answer(target, "Was?", case_id="whatever")).text == "das"
    both = recorded(tmp_path, rows=rows, fields={"input": {"question": "q", "locale": "lang"}})
    assert (await answer(both, {"locale": "en", "question": "What?"})).text == "this"
    error = await failure(target, "Quoi?")
    assert "looked up by input" in error.message


async def test_parts_come_from_the_cases_own_input(tmp_path):
    options = {"from_input": {"contexts": {"path": "contexts", "id": "doc", "text": "body"}, "model": "model"}}
    target = recorded(tmp_path, rows=[{"id": "a", "text": "t", "model": "recorded"}], **options)
    output = await answer(target, {"contexts": [{"doc": "d", "body": "x", "more": 1}]})
    assert output.contexts == (Passage(id="d", text="x"),)
    assert output.model == "recorded"
    error = await failure(target, {"contexts": 5, "model": 5})
    assert error.kind == "malformed"


async def test_missing_answers_name_the_rows_that_could_not_be_read(tmp_path):
    path = tmp_path / "outputs.jsonl"
    path.write_bytes(b'{"id": "x", "text": "t"}\n\nbroken\n[1]\n{"text": "no id"}\n\xff\xfe\n')
    target = recorded(tmp_path)
    error = await failure(target, case_id="gone")
    assert error.kind == "missing"
    assert "4 rows could not be read: line 3: not JSON" in error.message
    assert "line 4: not a JSON object" in error.message
    assert "line 5: the row has no id" in error.message
    assert len(target.problems) == 4


async def test_a_row_of_wrong_types_fails_its_own_case_only(tmp_path):
    rows = [{"id": "a", "answer": 5}, {"id": "b", "answer": "ok"}, {"id": "c"}]
    target = recorded(tmp_path, rows=rows, fields={"text": "answer"})
    error = await failure(target, case_id="a")
    assert error.kind == "malformed"
    assert "outputs.jsonl:1: `text` is a number" in error.message
    assert (await answer(target, case_id="b")).text == "ok"
    assert "where `text` is taken from" in (await failure(target, case_id="c")).message


async def test_a_null_is_no_empty_answer(tmp_path):
    target = recorded(tmp_path, rows=[{"id": "a", "text": None}, {"id": "b", "text": ""}])
    error = await failure(target, case_id="a")
    assert error.kind == "missing"
    assert "outputs.jsonl:1: the recorded text is null" in error.message
    assert (await answer(target, case_id="b")).text == ""


async def test_the_same_case_twice_is_refused_with_its_lines(tmp_path):
    rows = [{"id": "a", "text": "1"}, {"id": "b", "text": "2"}, {"id": "a", "text": "3"}]
    with pytest.raises(ConfigError, match="lines 1 and 3 are for the same case") as raised:
        await answer(recorded(tmp_path, rows=rows))
    assert "where" in raised.value.problems[0].hint


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"file": "absent.jsonl"}, "file"),
        ({"file": "x.txt"}, "format"),
        ({"file": "x.jsonl", "fields": {"answer": "text"}}, "fields.answer"),
        ({"file": "x.jsonl", "fields": {"id": "id", "input": "q"}}, "fields"),
        ({"file": "x.jsonl", "fields": {"text": {}}}, "fields.text"),
        ({"file": "x.jsonl", "from_input": {"nope": "x"}}, "from_input.nope"),
    ],
)
def test_wrong_options_are_named(tmp_path, options, key):
    for name in ("x.txt", "x.jsonl"):
        (tmp_path / name).write_text("")
    with pytest.raises(ConfigError) as raised:
        RecordedTargetOptions(**options).bind(context(tmp_path))
    assert raised.value.problems[0].key == key


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.json", b"{"),
        ("x.json", b'{"a": 1}'),
        ("x.jsonl", b""),
        ("x.jsonl.gz", b"\x1f\x8bnot really"),
        ("x.parquet", b"not parquet"),
        ("x.csv", b""),
    ],
)
async def test_files_that_can_not_be_read(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError) as raised:
        await answer(recorded(tmp_path, name))
    assert raised.value.problems[0].key == "file"


async def test_json_files_in_their_other_shapes(tmp_path):
    (tmp_path / "by_id.json").write_text('{"a": {"text": "1"}, "b": {"text": "2"}}')
    assert (await answer(recorded(tmp_path, "by_id.json"), case_id="b")).text == "2"
    (tmp_path / "one_list.json").write_text('{"version": 1, "rows": [{"id": "a", "text": "1"}]}')
    assert (await answer(recorded(tmp_path, "one_list.json"))).text == "1"


async def test_a_short_csv_row_is_set_aside(tmp_path):
    (tmp_path / "x.csv").write_text('id,text\na,"two\nlines"\nb\nc,[draft\n')
    target = recorded(tmp_path, "x.csv")
    async with opened(target):
        assert (await target.respond(call(case_id="a"))).text == "two\nlines"
        assert (await target.respond(call(case_id="c"))).text == "[draft"
        assert target.problems == ("line 4: 1 columns where the header has 2",)


def test_the_description_follows_the_content_not_the_place(tmp_path):
    first = recorded(tmp_path, rows=ROWS, fields=FIELDS).describe()
    elsewhere = tmp_path / "sub"
    elsewhere.mkdir()
    assert recorded(elsewhere, rows=ROWS, fields=FIELDS).describe() == first
    assert recorded(tmp_path, rows=ROWS[:2], fields=FIELDS).describe() != first
    assert recorded(tmp_path, fields={"text": "answer"}).describe() != recorded(tmp_path, fields=FIELDS).describe()


def test_paths_into_rows():
    row = {"a.b": 1, "a": {"b": 2, "c": [{"d": 3}]}}
    assert [follow(row, path) for path in ("a.b", "a.c.0.d", "a.c.-1.d")] == [1, 3, 3]
    assert all(follow(row, path) is Nothing for path in ("x", "a.c.1", "a.c.x", "a.b.c"))


@settings(max_examples=30)
@given(st.dictionaries(st.text(max_size=5), st.binary(max_size=20), max_size=40), st.booleans())
def test_the_store_gives_back_what_was_put_in(records, spilled):
    store = RowStore(in_memory=10 if spilled else 1 << 20)
    for line, (key, record) in enumerate(records.items()):
        store.add(key, line, record)
    assert store.seal() == []
    assert {key: store.find(key)[1] for key in records} == records
    assert store.find("a key nobody used") is None
    store.close()
    store.close()


def test_the_store_finds_keys_used_twice():
    store = RowStore()
    for line, key in enumerate("abca", start=1):
        store.add(key, line, b"x")
    assert store.seal() == [(1, 4)]


@pytest.mark.shared
async def test_all_recorded_solutions_of_grade_school_math():
    path = shared_data("data/gsm8k_solutions/solutions.jsonl.gz")
    rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    systems = [name for name in rows[0] if name not in {"question", "ground_truth"}]
    assert len(systems) == 4
    for system in systems:
        fields = {"input": "question", "text": f"{system}.solution"}
        target = RecordedTargetOptions(file=path.name, fields=fields).bind(context(path.parent))
        async with opened(target):
            outputs = [await target.respond(call(row["question"], "any")) for row in rows]
        assert [output.text for output in outputs] == [row[system]["solution"] for row in rows]


@pytest.mark.shared
@pytest.mark.parametrize("model", ["reference", "gpt-4o", "llama-3.1-405b-instruct"])
async def test_recorded_answers_of_a_conversation_benchmark(model):
    path = shared_data("data/mtrag_human/dev_evaluations.jsonl.gz")
    lines = gzip.decompress((path.parent / "dev_tasks.jsonl.gz").read_bytes()).splitlines()
    tasks = [json.loads(line) for line in lines]
    options = RecordedTargetOptions(
        file=path.name,
        fields={"id": "task_id", "text": "response"},
        where={"model": model},
        from_input={"contexts": {"path": "contexts", "id": "document_id", "text": "text"}},
    )
    async with opened(options.bind(context(path.parent))) as target:
        outputs = [await target.respond(call(task, task["task_id"])) for task in tasks]
    assert len(outputs) == 80
    assert all(output.text for output in outputs)
    assert [len(output.contexts) for output in outputs] == [len(task["contexts"]) for task in tasks]
