"""Alembic's way in: :mod:`seqloom.registry.database` hands over a connection inside a transaction."""

from __future__ import annotations

from alembic import context

from seqloom.registry.columns import Base
from seqloom.registry.tables import SCHEMA_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=SCHEMA_TABLE,
    render_as_batch=True,  # SQLite alters a table by making it anew
)
context.run_migrations()
