"""Schedules, webhooks, deliveries, notices and saved views."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "schedules",
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
    )
    op.create_index("ix_schedules_project", "schedules", ["project"])
    op.create_index("ix_schedules_next_at", "schedules", ["next_at"])
    op.create_table(
        "schedule_slots",
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
    op.create_table(
        "webhooks",
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
    )
    op.create_index("ix_webhooks_project", "webhooks", ["project"])
    op.create_table(
        "deliveries",
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
    )
    op.create_index("ix_deliveries_webhook_id", "deliveries", ["webhook_id", "created_at"])
    op.create_index("ix_deliveries_state", "deliveries", ["state", "next_at"])
    op.create_table(
        "notices",
        sa.Column("key", sa.String(600), primary_key=True),
        sa.Column("value", sa.String(200), nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
    )
    op.create_table(
        "views",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("project", sa.String(63), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("page", sa.String(64), nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("owner", sa.String(64), sa.ForeignKey("users.username", ondelete="CASCADE"), nullable=False),
        sa.Column("shared", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
    )
    op.create_index("ix_views_project", "views", ["project"])


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("views")
    op.drop_table("notices")
    op.drop_table("deliveries")
    op.drop_table("webhooks")
    op.drop_table("schedule_slots")
    op.drop_table("schedules")
