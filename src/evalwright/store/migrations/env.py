"""What Alembic runs to bring a catalog up to date, within the caller's transaction."""

from __future__ import annotations

from alembic import context

from evalwright.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
