"""Human review: queues, items, leases, labels, drafts, decisions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "review_queues",
        sa.Column("queue_id", sa.String(40), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
    )
    op.create_table(
        "review_items",
        sa.Column("item_id", sa.String(40), primary_key=True),
        sa.Column("queue_id", sa.String(40), sa.ForeignKey("review_queues.queue_id"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("shuffle", sa.BigInteger, nullable=False),
        sa.Column("calibration", sa.Boolean, nullable=False),
        sa.Column("wanted", sa.Integer, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("hidden", sa.Text, nullable=False),
    )
    op.create_index("ix_review_items_queue", "review_items", ["queue_id", "number"])
    op.create_table(
        "review_slots",
        sa.Column("slot_id", sa.String(60), primary_key=True),
        sa.Column("queue_id", sa.String(40), nullable=False),
        sa.Column("item_id", sa.String(40), sa.ForeignKey("review_items.item_id"), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("rater", sa.String(200)),
        sa.Column("lease_until", sa.Float(53)),
        sa.Column("label_id", sa.String(40)),
    )
    op.create_index("ix_review_slots_queue", "review_slots", ["queue_id", "state"])
    op.create_index("ux_review_slots_rater", "review_slots", ["item_id", "rater"], unique=True)
    op.create_table(
        "review_served",
        sa.Column("item_id", sa.String(40), sa.ForeignKey("review_items.item_id"), primary_key=True),
        sa.Column("rater", sa.String(200), primary_key=True),
        sa.Column("flipped", sa.Boolean, nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
    )
    op.create_table(
        "review_labels",
        sa.Column("label_id", sa.String(40), primary_key=True),
        sa.Column("queue_id", sa.String(40), nullable=False),
        sa.Column("item_id", sa.String(40), sa.ForeignKey("review_items.item_id"), nullable=False),
        sa.Column("rater", sa.String(200), nullable=False),
        sa.Column("client_key", sa.String(200), nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("withdraws", sa.String(40)),
        sa.Column("label", sa.Text, nullable=False),
    )
    op.create_index("ix_review_labels_queue", "review_labels", ["queue_id", "at"])
    op.create_index("ix_review_labels_item", "review_labels", ["item_id"])
    op.create_index("ux_review_labels_key", "review_labels", ["rater", "client_key"], unique=True)
    op.create_index("ux_review_labels_withdraws", "review_labels", ["withdraws"], unique=True)
    op.create_table(
        "review_drafts",
        sa.Column("item_id", sa.String(40), sa.ForeignKey("review_items.item_id"), primary_key=True),
        sa.Column("rater", sa.String(200), primary_key=True),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
    )
    op.create_table(
        "review_marks",
        sa.Column("mark_id", sa.String(40), primary_key=True),
        sa.Column("item_id", sa.String(40), sa.ForeignKey("review_items.item_id"), nullable=False),
        sa.Column("rater", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
    )
    op.create_index("ix_review_marks_item", "review_marks", ["item_id", "rater"])
    op.create_table(
        "review_decisions",
        sa.Column("decision_id", sa.String(40), primary_key=True),
        sa.Column("item_id", sa.String(40), sa.ForeignKey("review_items.item_id"), nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("decision", sa.Text, nullable=False),
    )
    op.create_index("ix_review_decisions_item", "review_decisions", ["item_id"])


def downgrade() -> None:
    """Drop the tables."""
    for name in (
        "review_decisions",
        "review_marks",
        "review_drafts",
        "review_labels",
        "review_served",
        "review_slots",
        "review_items",
        "review_queues",
    ):
        op.drop_table(name)
