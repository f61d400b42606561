"""Tables of schedules, webhooks and saved views, which only the catalog of a server's root workspace uses."""

from __future__ import annotations

import sqlalchemy as sa

from evalwright.store.tables import METADATA

SCHEDULES = sa.Table(
    "schedules",
    METADATA,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("project", sa.String(63), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("suite", sa.String(500), nullable=False),
    sa.Column("cron", sa.String(100), nullable=False),
    sa.Column("timezone", sa.String(64), nullable=False),
    sa.Column("options", sa.JSON, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("created_by", sa.String(64), nullable=False),
    sa.Column("created_at", sa.Float(53), nullable=False),
    sa.Column("next_at", sa.Float(53)),
    sa.Index("ix_schedules_project", "project"),
    sa.Index("ix_schedules_next_at", "next_at"),
)

SLOTS = sa.Table(
    "schedule_slots",
    METADATA,
    sa.Column("schedule_id", sa.String(16), sa.ForeignKey("schedules.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("slot_at", sa.Float(53), primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("server", sa.String(200), nullable=False),
    sa.Column("started_at", sa.Float(53)),
    sa.Column("alive_at", sa.Float(53)),
    sa.Column("finished_at", sa.Float(53)),
    sa.Column("run_id", sa.String(200)),
    sa.Column("exit_code", sa.Integer),
    sa.Column("note", sa.String(1000), nullable=False),
)

WEBHOOKS = sa.Table(
    "webhooks",
    METADATA,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("project", sa.String(63), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("address", sa.String(2000), nullable=False),
    sa.Column("secret", sa.String(200), nullable=False),
    sa.Column("events", sa.JSON, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("created_by", sa.String(64), nullable=False),
    sa.Column("created_at", sa.Float(53), nullable=False),
    sa.Index("ix_webhooks_project", "project"),
)

DELIVERIES = sa.Table(
    "deliveries",
    METADATA,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("webhook_id", sa.String(16), sa.ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    sa.Column("event", sa.String(64), nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_at", sa.Float(53), nullable=False),
    sa.Column("claimed_until", sa.Float(53), nullable=False),
    sa.Column("created_at", sa.Float(53), nullable=False),
    sa.Column("finished_at", sa.Float(53)),
    sa.Column("status", sa.Integer),
    sa.Column("error", sa.String(1000), nullable=False),
    sa.Index("ix_deliveries_webhook_id", "webhook_id", "created_at"),
    sa.Index("ix_deliveries_state", "state", "next_at"),
)

NOTICES = sa.Table(
    "notices",
    METADATA,
    sa.Column("key", sa.String(600), primary_key=True),
    sa.Column("value", sa.String(200), nullable=False),
    sa.Column("at", sa.Float(53), nullable=False),
)

VIEWS = sa.Table(
    "views",
    METADATA,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("project", sa.String(63), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("page", sa.String(64), nullable=False),
    sa.Column("query", sa.Text, nullable=False),
    sa.Column("owner", sa.String(64), sa.ForeignKey("users.username", ondelete="CASCADE"), nullable=False),
    sa.Column("shared", sa.Boolean, nullable=False),
    sa.Column("created_at", sa.Float(53), nullable=False),
    sa.Index("ix_views_project", "project"),
)
