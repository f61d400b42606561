"""What a server does by itself: due schedules, deliveries, new events, hourly checkpoints of the audit log."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from evalwright.server.workers import Workers
from evalwright.services.audit_checks import make_checkpoint
from evalwright.services.auditing import AuditEvent, can_sign, record
from evalwright.services.notifying import deliver_due
from evalwright.services.scheduling import take_due
from evalwright.services.watching import look

if TYPE_CHECKING:
    from evalwright.server.state import ServerState

log = logging.getLogger("evalwright.server")
CHECKPOINT_S = 3600.0


class Background:
    """One thread that goes round every few seconds; several servers may do so on one database."""

    def __init__(self, state: ServerState, *, every_s: float) -> None:
        self._state = state
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_round, name="background", daemon=True)
        self._signed_at = state.now()
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self.workers = Workers(
            state.schedules, processes=state.settings.processes, now=state.now, place=state.places.workspace
        )

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, scheduled runs in good order."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(30)
        self.workers.stop()
        self._tried("signing", self._sign)

    def _go_round(self) -> None:
        while not self._stop.wait(self._every_s):
            self.once()

    def once(self) -> None:
        """Go round once; a failure of one part keeps no other from its work."""
        for part in (self.run_due, self.look_round, self.deliver, self._sign_hourly):
            self._tried(part.__name__, part)

    def _tried(self, name: str, part: Callable[[], None]) -> None:
        try:
            part()
        except Exception:
            log.exception("%s failed", name)

    def run_due(self) -> None:
        """Run the slots that are due and fell to this server."""
        state = self._state
        state.schedules.alive(self.name, state.now())
        for schedule, slot in take_due(state.schedules, server=self.name, now=state.now()):
            event = AuditEvent(
                actor=f"schedule:{schedule.created_by}", action="schedule.run", project=schedule.project,
                subject=schedule.id, detail={"slot_at": slot.slot_at, "suite": schedule.suite},
            )  # fmt: skip
            record(state.places.root, event, now=state.now())
            self.workers.run(schedule, slot, state.places.suites(schedule.project))

    def look_round(self) -> None:
        """Find what is new in every project, and queue it for those who want to hear of it."""
        state = self._state
        for project in state.accounts.projects():
            self._tried(f"looking at {project.name}", partial(self._look, project.name))

    def _look(self, project: str) -> None:
        state = self._state
        look(state.webhooks, project, state.places.workspace(project), now=state.now())

    def deliver(self) -> None:
        """Attempt deliveries that are due."""
        deliver_due(self._state.webhooks, self._state.outbox, now=self._state.now())

    def _sign_hourly(self) -> None:
        if self._state.now() - self._signed_at >= CHECKPOINT_S:
            self._sign()

    def _sign(self) -> None:
        self._signed_at = self._state.now()
        if can_sign():
            make_checkpoint(self._state.places.root, now=self._state.now())
