"""Tables of the catalog, for queries; `migrations` makes them."""

from __future__ import annotations

import sqlalchemy as sa

METADATA = sa.MetaData()

RUNS = sa.Table(
    "runs",
    METADATA,
    sa.Column("run_id", sa.String(200), primary_key=True),
    sa.Column("suite", sa.String(200), nullable=False),
    sa.Column("suite_version", sa.String(200), nullable=False),
    sa.Column("suite_hash", sa.String(64), nullable=False),
    sa.Column("target", sa.String(500), nullable=False),
    sa.Column("target_hash", sa.String(64), nullable=False),
    sa.Column("dataset_digest", sa.String(64), nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("decision", sa.String(20)),
    sa.Column("created_at", sa.Float(53), nullable=False),
    sa.Column("finished_at", sa.Float(53)),
    sa.Column("cases", sa.Integer, nullable=False),
    sa.Column("units", sa.Integer, nullable=False),
    sa.Column("done", sa.Integer, nullable=False),
    sa.Column("errored", sa.Integer, nullable=False),
    sa.Column("cost", sa.Float(53)),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Column("manifest", sa.Text, nullable=False),
    sa.Column("summary", sa.Text),
    sa.Column("published", sa.String(400)),
    sa.Index("ix_runs_created_at", "created_at"),
    sa.Index("ix_runs_suite", "suite", "created_at"),
)

ALIASES = sa.Table(
    "aliases",
    METADATA,
    sa.Column("suite", sa.String(200), primary_key=True),
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("run_id", sa.String(200), sa.ForeignKey("runs.run_id", ondelete="CASCADE"), nullable=False),
    sa.Column("updated_at", sa.Float(53), nullable=False),
)

FIGURES = sa.Table(
    "figures",
    METADATA,
    sa.Column("run_id", sa.String(200), sa.ForeignKey("runs.run_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("metric", sa.String(200), nullable=False),
    sa.Column("slice", sa.String(400), nullable=False),
    sa.Column("statistic", sa.String(20), nullable=False),
    sa.Column("scorer", sa.String(64), nullable=False),
    sa.Column("headline", sa.Boolean, nullable=False),
    sa.Column("estimate", sa.Text, nullable=False),
    sa.Index("ix_figures_metric", "metric", "slice", "statistic"),
)

LOGS = sa.Table(
    "logs",
    METADATA,
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("line", sa.Text, nullable=False),
)

VERSION = sa.Table("alembic_version", sa.MetaData(), sa.Column("version_num", sa.String(32), primary_key=True))
"""Where Alembic notes the revision a database is at."""
