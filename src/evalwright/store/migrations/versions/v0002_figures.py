"""Figures of runs, and append-only logs."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

from evalwright.store.figure_rows import figure_rows

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables, and fill in the figures of the runs there are."""
    figures = op.create_table(
        "figures",
        sa.Column("run_id", sa.String(200), sa.ForeignKey("runs.run_id", ondelete="CASCADE"), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("metric", sa.String(200), nullable=False),
        sa.Column("slice", sa.String(400), nullable=False),
        sa.Column("statistic", sa.String(20), nullable=False),
        sa.Column("scorer", sa.String(64), nullable=False),
        sa.Column("headline", sa.Boolean, nullable=False),
        sa.Column("estimate", sa.Text, nullable=False),
    )
    op.create_index("ix_figures_metric", "figures", ["metric", "slice", "statistic"])
    op.create_table(
        "logs",
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("line", sa.Text, nullable=False),
    )
    connection = op.get_bind()
    query = sa.text("SELECT summary FROM runs WHERE summary IS NOT NULL")
    for (text,) in connection.execute(query).fetchall():
        rows = figure_rows(json.loads(text))
        if rows:
            connection.execute(sa.insert(figures), rows)


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("logs")
    op.drop_table("figures")
