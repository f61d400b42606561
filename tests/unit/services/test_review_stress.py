"""Many reviewers at once on one queue: no lease twice, nothing lost, also when a reviewer's process is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from evalwright.core.review import Entry
from evalwright.services.reviewing.desk import Desk, Shown
from evalwright.services.reviewing.queues import all_queues, find
from evalwright.services.reviewing.settling import settled
from evalwright.store import review_work
from tests.catalogs import catalog_url, postgres_server  # noqa: F401  # fixtures
from tests.review_kit import queue_of, workspace_at

GOOD = Entry(answers={"helpful": "good"})


def label_all(desk: Desk, queue) -> list[tuple[str, str]]:
    """Label until nothing is left; what was acknowledged."""
    done = []
    while isinstance(shown := desk.next(queue), Shown):
        done.append((shown.id, desk.submit(shown.id, GOOD).label_id))
    return done


def check(workspace, queue, items: int, raters: int) -> None:
    found = settled(workspace, queue)
    assert len(found) == items
    for one in found:
        names = [label.rater for label in one.labels]
        assert len(names) == len(set(names)) == raters, names


def test_threads_label_one_queue_without_a_lease_twice(tmp_path, catalog_url):  # noqa: F811
    workspace = workspace_at(tmp_path, catalog_url)
    queue = queue_of(workspace, 25, raters_per_item=3).queue
    seats = [Desk(workspace, f"r{n}") for n in range(6)]
    with ThreadPoolExecutor(6) as pool:
        done = [pair for part in pool.map(lambda desk: label_all(desk, queue), seats) for pair in part]
    check(workspace, queue, 25, 3)
    assert len(done) == 75
    assert max(Counter(item for item, _ in done).values()) == 3
    assert {label.id for label in review_work.labels(workspace.catalog.engine, queue.id)} == {x for _, x in done}
    workspace.catalog.close()


def test_one_reviewer_in_several_windows_gets_no_item_twice(tmp_path, catalog_url):  # noqa: F811
    workspace = workspace_at(tmp_path, catalog_url)
    queue = queue_of(workspace, 12, raters_per_item=2).queue

    def window(_: int) -> list[str]:
        desk, done = Desk(workspace, "ada"), []
        while isinstance(shown := desk.next(queue), Shown):
            try:
                done.append(desk.submit(shown.id, GOOD).label_id)
            except review_work.Conflict:
                continue
        return done

    with ThreadPoolExecutor(4) as pool:
        done = [label for part in pool.map(window, range(4)) for label in part]
    assert len(done) == len(set(done)) == 12
    workspace.catalog.close()


WORKER = """
import sys
from pathlib import Path
from tests.review_kit import workspace_at
from tests.unit.services.test_review_stress import GOOD
from evalwright.services.reviewing.desk import Desk, Shown
from evalwright.services.reviewing.queues import find
folder, url, name = sys.argv[1:]
workspace = workspace_at(Path(folder), url or None)
queue = find(workspace, "q")
desk = Desk(workspace, name)
while isinstance(shown := desk.next(queue), Shown):
    print(shown.id, desk.submit(shown.id, GOOD).label_id, flush=True)
"""


@pytest.mark.slow
def test_processes_and_one_that_is_killed(tmp_path, catalog_url):  # noqa: F811
    workspace = workspace_at(tmp_path, catalog_url)
    queue = queue_of(workspace, 150, raters_per_item=2, lease_minutes=1.0).queue
    root = Path(__file__).parents[3]
    words = [sys.executable, "-c", WORKER, str(tmp_path), catalog_url or ""]
    made = [
        subprocess.Popen([*words, f"r{n}"], cwd=root, stdout=subprocess.PIPE, text=True, env={**os.environ})
        for n in range(4)
    ]
    while all_queues(workspace)[0][1].labels < 40:
        time.sleep(0.05)
    made[0].send_signal(signal.SIGKILL)
    printed = [line.split() for process in made for line in (process.communicate(timeout=120)[0] or "").splitlines()]
    acknowledged = {words[1] for words in printed if len(words) == 2}
    kept = {label.id for label in review_work.labels(workspace.catalog.engine, queue.id)}
    assert acknowledged <= kept, "a label that was acknowledged is never lost"
    later = Desk(workspace, "late", clock=lambda: time.time() + 120)
    label_all(later, find(workspace, "q"))
    label_all(Desk(workspace, "later", clock=lambda: time.time() + 120), queue)
    check(workspace, queue, 150, 2)
    workspace.catalog.close()
