"""Names of runs: sortable by time, readable, unlikely to meet."""

from __future__ import annotations

import re
import secrets
import time

_PLAIN = re.compile(r"[^a-z0-9]+")


def new_run_id(suite: str, now: float) -> str:
    """A run's name, e.g. `20261123-171502-support-rag-3f9a` (UTC)."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
    slug = _PLAIN.sub("-", suite.lower()).strip("-")[:40].strip("-") or "run"
    return f"{stamp}-{slug}-{secrets.token_hex(2)}"
