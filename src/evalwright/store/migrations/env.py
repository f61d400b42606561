"""What Alembic runs to bring a catalog up to date, within the caller's transaction."""

from __future__ import annotations

from alembic import context

from evalwright.store import account_tables, review_tables, schedule_tables, tables

MODULES = (tables, account_tables, review_tables, schedule_tables)
"""Modules that define tables; all of them add to the one `METADATA`."""

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.METADATA,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
