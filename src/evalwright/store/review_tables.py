"""Tables of human review, for queries; `migrations` makes them."""

from __future__ import annotations

import sqlalchemy as sa

from evalwright.store.tables import METADATA

__all__ = ["DECISIONS", "DRAFTS", "ITEMS", "LABELS", "MARKS", "METADATA", "QUEUES", "SERVED", "SLOTS"]

QUEUES = sa.Table(
    "review_queues",
    METADATA,
    sa.Column("queue_id", sa.String(40), primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("created_at", sa.Float(53), nullable=False),
    sa.Column("settings", sa.Text, nullable=False),
)

ITEMS = sa.Table(
    "review_items",
    METADATA,
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
    sa.Index("ix_review_items_queue", "queue_id", "number"),
)

SLOTS = sa.Table(
    "review_slots",
    METADATA,
    sa.Column("slot_id", sa.String(60), primary_key=True),
    sa.Column("queue_id", sa.String(40), nullable=False),
    sa.Column("item_id", sa.String(40), sa.ForeignKey("review_items.item_id"), nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("rater", sa.String(200)),
    sa.Column("lease_until", sa.Float(53)),
    sa.Column("label_id", sa.String(40)),
    sa.Index("ix_review_slots_queue", "queue_id", "state"),
    sa.Index("ux_review_slots_rater", "item_id", "rater", unique=True),
)
"""One row for each label wanted: `free`, `leased` to a reviewer until a time, or `done`."""

SERVED = sa.Table(
    "review_served",
    METADATA,
    sa.Column("item_id", sa.String(40), sa.ForeignKey("review_items.item_id"), primary_key=True),
    sa.Column("rater", sa.String(200), primary_key=True),
    sa.Column("flipped", sa.Boolean, nullable=False),
    sa.Column("at", sa.Float(53), nullable=False),
)
"""Who was shown what, first when, and with which side as A."""

LABELS = sa.Table(
    "review_labels",
    METADATA,
    sa.Column("label_id", sa.String(40), primary_key=True),
    sa.Column("queue_id", sa.String(40), nullable=False),
    sa.Column("item_id", sa.String(40), sa.ForeignKey("review_items.item_id"), nullable=False),
    sa.Column("rater", sa.String(200), nullable=False),
    sa.Column("client_key", sa.String(200), nullable=False),
    sa.Column("at", sa.Float(53), nullable=False),
    sa.Column("withdraws", sa.String(40)),
    sa.Column("label", sa.Text, nullable=False),
    sa.Index("ix_review_labels_queue", "queue_id", "at"),
    sa.Index("ix_review_labels_item", "item_id"),
    sa.Index("ux_review_labels_key", "rater", "client_key", unique=True),
    sa.Index("ux_review_labels_withdraws", "withdraws", unique=True),
)
"""Append-only: a label is never changed; a row that `withdraws` it takes it back."""

DRAFTS = sa.Table(
    "review_drafts",
    METADATA,
    sa.Column("item_id", sa.String(40), sa.ForeignKey("review_items.item_id"), primary_key=True),
    sa.Column("rater", sa.String(200), primary_key=True),
    sa.Column("at", sa.Float(53), nullable=False),
    sa.Column("entry", sa.Text, nullable=False),
)

MARKS = sa.Table(
    "review_marks",
    METADATA,
    sa.Column("mark_id", sa.String(40), primary_key=True),
    sa.Column("item_id", sa.String(40), sa.ForeignKey("review_items.item_id"), nullable=False),
    sa.Column("rater", sa.String(200), nullable=False),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("at", sa.Float(53), nullable=False),
    sa.Index("ix_review_marks_item", "item_id", "rater"),
)
"""Skips and flags."""

DECISIONS = sa.Table(
    "review_decisions",
    METADATA,
    sa.Column("decision_id", sa.String(40), primary_key=True),
    sa.Column("item_id", sa.String(40), sa.ForeignKey("review_items.item_id"), nullable=False),
    sa.Column("at", sa.Float(53), nullable=False),
    sa.Column("decision", sa.Text, nullable=False),
    sa.Index("ix_review_decisions_item", "item_id"),
)
"""Append-only: the last one of an item counts."""
