"""Human review in use: queues, the reviewer's desk, agreement, adjudication, files to and fro."""

from evalwright.services.reviewing.queues import Backlog, backlog

__all__ = ["Backlog", "backlog"]
