"""Many labels at once: the same as one after the other, on both databases, whatever stood in the queue before."""

from __future__ import annotations

import functools
import random

import sqlalchemy as sa

from evalwright.core.errors import EvalwrightError
from evalwright.core.review import Entry, ItemState, Label
from evalwright.review import rules
from evalwright.review.blinding import new_id
from evalwright.services.reviewing.desk import Shown
from evalwright.services.reviewing.exchange import export, import_labels, read_incoming
from evalwright.store import review_imports, review_queues, review_work
from evalwright.store.database import reading
from evalwright.store.review_tables import DRAFTS, SLOTS
from tests.catalogs import catalog_url, postgres_server  # noqa: F401  # fixtures
from tests.review_kit import Clock, desks, queue_of, workspace_at

GOOD = Entry(answers={"helpful": "good"})


def label_of(queue, item_id, rater, level="good", **more):
    return Label(
        id=new_id(),
        queue_id=queue.id,
        item_id=item_id,
        rater=rater,
        answers={"helpful": level},
        **{"key": new_id(), "at": 1_800_000_000.0, **more},
    )


def keep(workspace, queue, labels):
    disputed = functools.partial(rules.disputed, queue)
    return review_imports.submit_many(workspace.catalog.engine, labels, disputed=disputed)


def items_of(workspace, queue):
    return review_queues.items(workspace.catalog.engine, queue.id)


def used(workspace, queue):
    """A queue in which ada has labelled an item, taken another label back and holds a third; her draft lies on it."""
    clock = Clock()
    ada = desks(workspace, "ada", clock=clock)[0]
    for _ in range(2):
        done = ada.submit(ada.next(queue).id, GOOD)
    ada.undo(done.label_id)
    ada.submit(ada.next(queue).id, Entry(answers={"helpful": "bad"}))
    held = ada.next(queue).id
    ada.save_draft(held, GOOD)
    return held


def outcome(workspace, queue):
    """Where all stands, without ids drawn at random."""
    engine = workspace.catalog.engine
    numbers = {item.id: item.number for item in items_of(workspace, queue)}
    labels = [(numbers[x.item_id], x.rater, x.answers["helpful"]) for x in review_work.labels(engine, queue.id)]
    slots = sa.select(SLOTS.c.item_id, SLOTS.c.state, SLOTS.c.rater).where(SLOTS.c.queue_id == queue.id)
    drafts = sa.select(DRAFTS.c.item_id, DRAFTS.c.rater)
    with reading(engine) as connection:
        rows = [(numbers[item], state, rater or "") for item, state, rater in connection.execute(slots)]
        open_drafts = [(numbers[item], rater) for item, rater in connection.execute(drafts) if item in numbers]
    states = {item.number: item.state for item in items_of(workspace, queue)}
    return sorted(labels), sorted(rows), sorted(open_drafts), states


def draw(workspace, queue, rng):
    """Labels of raters in any order: some a second of one item, more than wanted, a key twice, an item there is not."""
    ids = [item.id for item in sorted(items_of(workspace, queue), key=lambda item: item.number)] + ["nosuch"]
    return [
        label_of(queue, ids[rng.randrange(len(ids))], rng.choice(["ada", "bob", "eve", "kim"]), level, key=f"k{number}")
        for number in [n % 50 for n in range(60)]
        for level in [rng.choice(["good", "fair", "bad"])]
    ]


def told(results):
    return [one.message if isinstance(one, EvalwrightError) else one[1] for one in results]


def test_a_batch_comes_to_what_one_after_the_other_comes_to(tmp_path, catalog_url):  # noqa: F811
    found = []
    workspace = workspace_at(tmp_path, catalog_url)
    for name in ("at once", "singly"):
        queue = queue_of(workspace, 12, name=name, raters_per_item=2).queue
        used(workspace, queue)
        labels = [
            Label(**{field: getattr(x, field) for field in Label.__struct_fields__} | {"key": f"{name} {x.key}"})
            for x in draw(workspace, queue, random.Random(3))
        ]
        size = len(labels) if name == "at once" else 1
        results = [r for n in range(0, len(labels), size) for r in keep(workspace, queue, labels[n : n + size])]
        messages = [str(one).replace(name, "") for one in told(results)]
        found.append((messages, outcome(workspace, queue)))
        assert {True, False} < set(told(results)), "new ones, known ones, and wrong ones"
    assert found[0] == found[1]
    workspace.catalog.close()


def test_a_label_takes_the_raters_own_slot_and_their_draft(tmp_path, catalog_url):  # noqa: F811
    workspace = workspace_at(tmp_path, catalog_url)
    queue = queue_of(workspace, 4, raters_per_item=1).queue
    held = used(workspace, queue)
    late = label_of(queue, held, "bob")
    again = label_of(queue, held, "bob", "bad")
    results = keep(workspace, queue, [label_of(queue, held, "ada"), late, again, late])
    assert told(results) == [True, True, "you have labelled this item already", False]
    labels, slots, drafts, states = outcome(workspace, queue)
    number = next(item.number for item in items_of(workspace, queue) if item.id == held)
    assert [row for row in slots if row[0] == number] == [(number, "done", "ada"), (number, "done", "bob")]
    assert (number, "ada") not in drafts
    assert states[number] is ItemState.AGREED
    assert len(labels) == 4
    workspace.catalog.close()


def test_a_lease_that_ran_out_is_given_to_the_label(tmp_path, catalog_url):  # noqa: F811
    workspace = workspace_at(tmp_path, catalog_url)
    queue = queue_of(workspace, 1, lease_minutes=1.0).queue
    ada = desks(workspace, "ada")[0]
    item_id = ada.next(queue).id
    assert told(keep(workspace, queue, [label_of(queue, item_id, "bob", at=1_800_000_061.0)])) == [True]
    assert outcome(workspace, queue)[1] == [(0, "done", "bob")]
    workspace.catalog.close()


def test_items_with_a_known_label_stay_open_and_decided_ones_decided(tmp_path, catalog_url):  # noqa: F811
    workspace = workspace_at(tmp_path, catalog_url)
    known = ({"id": "k", "input": "known", "output": "answer", "gold": "good"},)
    queue = queue_of(workspace, 3, calibration=known).queue
    items = items_of(workspace, queue)
    assert all(one is True for one in told(keep(workspace, queue, [label_of(queue, x.id, "bob") for x in items])))
    states = {item.calibration: item.state for item in items_of(workspace, queue)}
    assert states == {True: ItemState.OPEN, False: ItemState.AGREED}
    workspace.catalog.close()


def test_a_long_file_is_kept_whole_and_the_same_again_adds_nothing(tmp_path, catalog_url):  # noqa: F811
    workspace = workspace_at(tmp_path, catalog_url)
    queue = queue_of(workspace, 400, raters_per_item=3).queue
    rng = random.Random(5)
    rows = [
        f"{item.id},r{rater},{rng.choice(['good', 'bad'])}"
        for item in items_of(workspace, queue)
        for rater in rng.sample(range(8), 3)
    ]
    data = "\n".join(["item,rater,helpful", *rows]).encode()
    first = import_labels(workspace, queue, read_incoming(queue, data, "csv"), by="lea")
    assert (first.added, first.problems) == (1200, ())
    again = import_labels(workspace, queue, read_incoming(queue, data, "csv"), by="lea")
    assert (again.added, again.known) == (0, 1200)
    assert export(workspace, queue, "csv", "labels").count(b"\n") == 1201
    assert not isinstance(desks(workspace, "r1")[0].next(queue), Shown)
    workspace.catalog.close()


def test_half_a_character_in_a_file_stops_nothing(tmp_path, catalog_url):  # noqa: F811
    workspace = workspace_at(tmp_path, catalog_url)
    queue = queue_of(workspace, 2).queue
    first, second = (item.id for item in items_of(workspace, queue))
    rows = [
        f'{{"item": "{first}", "rater": "ad\\ud800a", "label": "l\\ud800", "helpful": "good", "rationale": "\\ud800"}}',
        f'{{"item": "{second}", "rater": "bob", "helpful": "bad"}}',
    ]
    found = import_labels(workspace, queue, read_incoming(queue, "\n".join(rows).encode(), "jsonl"), by="lea")
    assert (found.added, found.problems) == (2, ())
    workspace.catalog.close()
