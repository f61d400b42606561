"""A reviewer's desk, on SQLite and on PostgreSQL."""

from __future__ import annotations

import msgspec
import pytest

from evalwright.core.errors import Conflict, NotAllowed, NotFound, UsageError
from evalwright.core.review import Entry, RationaleRule, Span
from evalwright.review.rules import Wrong
from evalwright.services.reviewing import backlog
from evalwright.services.reviewing.desk import Desk, Nothing, Shown
from evalwright.services.reviewing.queues import all_queues
from evalwright.services.reviewing.requests import NewQueue, SampleSpec, SourceSpec
from evalwright.services.reviewing.settling import settled
from evalwright.store import review_work
from tests.catalogs import catalog_url, postgres_server  # noqa: F401  # fixtures
from tests.review_kit import HELPFUL, MODEL, POLITE, TARGET, Clock, a_run, desks, queue_of, rows, workspace_at

GOOD = Entry(answers={"helpful": "good"})
BAD = Entry(answers={"helpful": "bad"}, rationale="wrong")


@pytest.fixture
def workspace(tmp_path, catalog_url):  # noqa: F811
    made = workspace_at(tmp_path, catalog_url)
    yield made
    made.catalog.close()


def given(desk: Desk, queue) -> Shown:
    shown = desk.next(queue)
    assert isinstance(shown, Shown), shown
    return shown


def test_a_queue_is_worked_through_and_its_state_counted(workspace):
    queue = queue_of(workspace, 2, raters_per_item=2).queue
    ada, bob = desks(workspace, "ada", "bob")
    first = given(ada, queue)
    assert first.outputs[0].text.startswith("answer")
    assert first.position.total == 2
    assert given(ada, queue).id == first.id, "asking again gives the item one holds"
    ada.submit(first.id, GOOD)
    ada.submit(given(ada, queue).id, GOOD)
    assert isinstance(ada.next(queue), Nothing)
    assert ada.next(queue).code == "waiting"
    waiting = backlog(workspace, now=1_800_000_000.0)
    assert (waiting.open, waiting.in_progress, waiting.adjudication) == (0, 2, 0)
    bob.submit(given(bob, queue).id, GOOD)
    bob.submit(given(bob, queue).id, BAD)
    assert ada.next(queue).code == "done"
    _, counts = all_queues(workspace)[0]
    assert (counts.items, counts.done, counts.adjudication, counts.labels) == (2, 2, 1, 4)
    assert backlog(workspace).adjudication == 1
    assert backlog(workspace).oldest_at == 1_799_999_000.0


def test_never_more_leases_than_labels_wanted(workspace):
    queue = queue_of(workspace, 3, raters_per_item=2).queue
    seen = [given(desk, queue).id for desk in desks(workspace, "a", "b")]
    held = {}
    for desk in desks(workspace, "a", "b", "c", "d", "e", "f"):
        shown = desk.next(queue)
        assert isinstance(shown, Shown)
        held.setdefault(shown.id, []).append(desk.rater)
    assert sorted(len(raters) for raters in held.values()) == [2, 2, 2]
    assert seen[0] in held
    assert isinstance(desks(workspace, "g")[0].next(queue), Nothing)


def test_a_lease_that_ran_out_goes_to_others_and_a_late_label_is_kept(workspace):
    clock = Clock()
    queue = queue_of(workspace, 1, lease_minutes=10).queue
    ada, bob = desks(workspace, "ada", "bob", clock=clock)
    item = given(ada, queue)
    assert isinstance(bob.next(queue), Nothing)
    clock.now += 601
    assert given(bob, queue).id == item.id
    with pytest.raises(Conflict, match="run out"):
        ada.renew(item.id)
    bob.submit(item.id, GOOD)
    late = ada.submit(item.id, BAD)
    assert late.new
    assert len(review_work.labels(workspace.catalog.engine, queue.id)) == 2
    assert all_queues(workspace)[0][1].adjudication == 1


def test_a_lease_nobody_took_is_recovered_and_renewed(workspace):
    clock = Clock()
    queue = queue_of(workspace, 1, lease_minutes=10).queue
    (ada,) = desks(workspace, "ada", clock=clock)
    item = given(ada, queue)
    clock.now += 6_000
    assert ada.renew(item.id) == clock.now + 600
    clock.now += 6_000
    again = given(ada, queue)
    assert again.id == item.id
    assert again.lease_until == clock.now + 600


def test_the_same_key_is_the_same_submission(workspace):
    queue = queue_of(workspace, 2).queue
    (ada,) = desks(workspace, "ada")
    item = given(ada, queue)
    first = ada.submit(item.id, GOOD, key="k1")
    second = ada.submit(item.id, GOOD, key="k1")
    assert second.label_id == first.label_id
    assert first.new
    assert not second.new
    with pytest.raises(Conflict, match="labelled this item already"):
        ada.submit(item.id, BAD, key="k2")
    other = given(ada, queue)
    with pytest.raises(Conflict, match="another item"):
        ada.submit(other.id, GOOD, key="k1")


def test_undo_takes_back_within_a_minute_and_leaves_both_rows(workspace):
    clock = Clock()
    queue = queue_of(workspace, 1).queue
    ada, bob = desks(workspace, "ada", "bob", clock=clock)
    done = ada.submit(given(ada, queue).id, BAD)
    with pytest.raises(NotFound):
        bob.undo(done.label_id)
    clock.now += 59
    item_id = ada.undo(done.label_id)
    again = given(ada, queue)
    assert again.id == item_id
    assert again.draft is not None
    assert again.draft.answers == {"helpful": "bad"}
    assert review_work.labels(workspace.catalog.engine, queue.id) == []
    assert len(review_work.history(workspace.catalog.engine, queue.id)) == 2
    with pytest.raises(Conflict, match="already"):
        ada.undo(done.label_id)
    second = ada.submit(item_id, GOOD)
    clock.now += 61
    with pytest.raises(Conflict, match="too late"):
        ada.undo(second.label_id)
    assert [s.levels for s in settled(workspace, queue)] == [{"helpful": "good"}]


def test_skipping_frees_the_item_and_comes_back_on_request(workspace):
    queue = queue_of(workspace, 1).queue
    ada, bob = desks(workspace, "ada", "bob")
    item = given(ada, queue)
    ada.skip(item.id, "not my language")
    assert ada.next(queue).code == "skipped"
    assert ada.position(queue).skipped == 1
    assert isinstance(ada.next(queue, skipped=True), Shown)
    ada.skip(item.id)
    assert given(bob, queue).id == item.id
    with pytest.raises(Conflict):
        ada.skip(item.id)


def test_drafts_are_kept_until_the_label_is_handed_in(workspace):
    queue = queue_of(workspace, 1).queue
    ada, bob = desks(workspace, "ada", "bob")
    item = given(ada, queue)
    ada.save_draft(item.id, Entry(rationale="half a th"))
    ada.save_draft(item.id, Entry(rationale="half a thought"))
    assert given(ada, queue).draft == Entry(rationale="half a thought")
    with pytest.raises(Conflict):
        bob.save_draft(item.id, Entry())
    ada.submit(item.id, GOOD)
    assert review_work.draft(workspace.catalog.engine, item.id, "ada") is None
    with pytest.raises(Conflict):
        ada.save_draft(item.id, Entry(rationale="more"))


def test_an_item_that_was_not_given_cannot_be_labelled(workspace):
    queue = queue_of(workspace, 1, raters=("ada",)).queue
    ada, bob = desks(workspace, "ada", "bob")
    item = given(ada, queue)
    with pytest.raises(NotAllowed, match="none of the reviewers"):
        bob.submit(item.id, GOOD)
    with pytest.raises(NotFound):
        ada.submit("nothing", GOOD)
    open_queue = queue_of(workspace, 1, name="open").queue
    hers = given(ada, open_queue)
    with pytest.raises(NotAllowed, match="not given"):
        bob.submit(hers.id, GOOD)


def test_every_wrong_field_is_told_at_once(workspace):
    queue = queue_of(workspace, 1, rubrics=(HELPFUL, POLITE)).queue
    (ada,) = desks(workspace, "ada")
    item = given(ada, queue)
    entry = Entry(
        answers={"helpful": "great", "kind": "yes"}, spans=(Span(start=2, end=99),), confidence=3.0, seconds=-1.0
    )
    with pytest.raises(Wrong) as caught:
        ada.submit(item.id, entry)
    assert {name for name, _ in caught.value.fields} == {
        "answers.helpful", "answers.polite", "answers.kind", "spans.0", "confidence", "seconds",
    }  # fmt: skip


def test_reasons_where_they_are_due(workspace):
    rule = RationaleRule(required_at_or_below={"helpful": "fair"})
    queue = queue_of(workspace, 1, rationale=rule).queue
    (ada,) = desks(workspace, "ada")
    item = given(ada, queue)
    with pytest.raises(Wrong, match="`fair` for `helpful` needs a reason"):
        ada.submit(item.id, Entry(answers={"helpful": "FAIR"}))
    ada.submit(item.id, Entry(answers={"helpful": "0.5"}, rationale=" half "))
    (label,) = review_work.labels(workspace.catalog.engine, queue.id)
    assert label.answers == {"helpful": "fair"}
    assert label.rationale == "half"


def test_in_pairs_only_a_tie_needs_a_reason_and_being_asked_tells_no_side(workspace):
    both = ({"input": "q", "outputs": ["one", "two"]},)
    rule = RationaleRule(required_at_or_below={"helpful": "tie"})
    settings = {"source": SourceSpec(rows=both), "kind": "pairwise"}
    queue = queue_of(workspace, rationale=rule, **settings).queue
    (ada,) = desks(workspace, "ada")
    item = given(ada, queue)
    with pytest.raises(Wrong, match="`tie` for `helpful` needs a reason"):
        ada.submit(item.id, Entry(answers={"helpful": "tie"}))
    ada.submit(item.id, Entry(answers={"helpful": "A"}))
    with pytest.raises(UsageError, match="`first` is no level"):
        queue_of(workspace, rationale=RationaleRule(required_at_or_below={"helpful": "first"}), **settings)


def test_a_reason_is_asked_for_where_a_label_contradicts_the_stored_verdict(workspace):
    a_run(workspace, "r1", {"a": True})
    rule = RationaleRule(differs_from_prior=True)
    queue = queue_of(workspace, source=SourceSpec(run="r1"), rationale=rule).queue
    (ada,) = desks(workspace, "ada")
    item = given(ada, queue)
    with pytest.raises(Wrong, match="differs"):
        ada.submit(item.id, Entry(answers={"helpful": "bad"}))
    ada.submit(item.id, GOOD)


def test_a_closed_queue_gives_nothing(workspace):
    from evalwright.services.reviewing.queues import QueueChange, change

    queue = queue_of(workspace, 1).queue
    closed = change(workspace, queue, QueueChange(state="closed"))
    assert desks(workspace, "ada")[0].next(closed).code == "closed"
    assert backlog(workspace).queues == 0


SECRETS = (MODEL, TARGET, "123.456", "0.789", "0.987", "r1", "r2")


def test_nothing_a_reviewer_gets_tells_system_verdict_or_other_labels(workspace):
    a_run(workspace, "r1", {"a": True, "b": False, "c": True})
    made = queue_of(workspace, source=SourceSpec(run="r1", metric="helpful"), raters_per_item=2, calibration=(
        {"input": "known", "output": "known answer", "gold": "bad", "reason": "a known reason", "model": MODEL},
    ))  # fmt: skip
    ada, bob = desks(workspace, "ada", "bob")
    texts = []
    for desk in (ada, bob):
        while isinstance(shown := desk.next(made.queue), Shown):
            texts.append(msgspec.json.encode(shown).decode())
            desk.submit(shown.id, Entry(answers={"helpful": "fair"}, rationale=f"reason of {desk.rater}"))
    assert len(texts) == 8
    hidden = (*SECRETS, "known reason", "reason of", "calibration", "gold", "prior", "strat")
    for text in texts:
        assert not [secret for secret in hidden if secret in text]
    assert any("look_up" in text and "a passage" in text for text in texts)


def test_two_reviewers_get_orders_and_sides_of_their_own(workspace):
    a_run(workspace, "r1", dict.fromkeys("abcdefghijklmnop", True), text="old")
    a_run(workspace, "r2", dict.fromkeys("abcdefghijklmnop", True), text="new")
    source = SourceSpec(baseline="r1", candidate="r2")
    queue = queue_of(workspace, source=source, kind="pairwise", raters_per_item=2, priority="none").queue
    orders, sides = {}, {}
    for desk in desks(workspace, "ada", "bob"):
        while isinstance(shown := desk.next(queue), Shown):
            orders.setdefault(desk.rater, []).append(shown.id)
            side = next(one.side for one in shown.outputs if one.text.startswith("new"))
            sides[desk.rater, shown.id] = side
            text = msgspec.json.encode(shown).decode()
            assert not [secret for secret in SECRETS if secret in text]
            desk.submit(shown.id, Entry(answers={"helpful": side}))
    assert sorted(orders["ada"]) == sorted(orders["bob"])
    assert orders["ada"] != orders["bob"]
    assert len(set(sides.values())) == 2
    labels = review_work.labels(workspace.catalog.engine, queue.id)
    assert {label.answers["helpful"] for label in labels} == {"second"}, "sides are undone before a label is kept"
    assert {label.flipped for label in labels} == {True, False}


def test_grave_failures_come_first_and_known_items_hide_among_them(workspace):
    a_run(workspace, "r1", {"a": True, "b": False, "c": True, "d": True})
    queue = queue_of(workspace, source=SourceSpec(run="r1")).queue
    (ada,) = desks(workspace, "ada")
    assert given(ada, queue).input == "question b"


def test_answers_of_several_systems_to_one_case_are_items_of_their_own(workspace):
    both = tuple({"id": "c", "input": "q", "output": text, "model": model} for text, model in (("a", "m"), ("b", "n")))
    made = queue_of(workspace, source=SourceSpec(rows=(*both, both[0])))
    assert made.items == 2
    assert {one.item.hidden.case_id for one in settled(workspace, made.queue)} == {"c"}


def test_queues_from_what_judge_and_rule_disagree_on(workspace):
    a_run(workspace, "r1", {"a": True, "b": False, "c": True, "d": False})
    made = queue_of(workspace, source=SourceSpec(run="r1", disagreements=("helpful", "exact")))
    assert made.items == 2
    assert made.queue.source["eligible"] == 2
    with pytest.raises(UsageError, match="no metric `nope`"):
        queue_of(workspace, source=SourceSpec(run="r1", metric="nope"))
    with pytest.raises(UsageError, match="exactly one source"):
        queue_of(workspace, source=SourceSpec())
    with pytest.raises(UsageError, match="nothing fits"):
        queue_of(workspace, source=SourceSpec(run="r1", where="scores.helpful.value > 2.0"))


def test_disputed_items_are_asked_again(workspace):
    queue = queue_of(workspace, 2, raters_per_item=2).queue
    ada, bob = desks(workspace, "ada", "bob")
    for desk, entry in ((ada, GOOD), (bob, BAD)):
        while isinstance(shown := desk.next(queue), Shown):
            desk.submit(shown.id, GOOD if shown.input == "question 0" else entry)
    assert queue_of(workspace, source=SourceSpec(queue="q"), name="again").items == 1


def test_active_selection_spreads_labels_over_the_verdicts(workspace):
    a_run(workspace, "r1", {f"n{i}": i >= 4 for i in range(40)})
    sample = SampleSpec(size=8, method="active", seed=3)
    made = queue_of(workspace, source=SourceSpec(run="r1", metric="helpful"), sample=sample)
    assert made.items == 8
    assert made.chosen is not None
    assert made.chosen.after is not None
    assert made.queue.source["strata"] == {"fail": 4, "pass": 36}
    strata = [one.item.hidden.stratum for one in settled(workspace, made.queue)]
    assert strata.count("fail") >= 1
    assert strata.count("pass") > strata.count("fail")


def test_settings_that_do_not_fit_are_told_together(workspace):
    wrong = NewQueue(name=" ", rubrics=(), source=SourceSpec(rows=rows(1)), raters_per_item=0, lease_minutes=0.0)
    from evalwright.services.reviewing.queues import make_queue

    with pytest.raises(UsageError) as caught:
        make_queue(workspace, wrong, by="lead")
    for word in ("a queue needs a name", "a rubric", "labels per item", "a lease"):
        assert word in str(caught.value)
