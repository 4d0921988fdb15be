"""The sixth schema: PostgreSQL sorts texts by their code points, as SQLite does, whatever its language."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """From texts that a server sorted as its operator's dictionaries do."""
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    of_texts = sa.text(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = current_schema() AND data_type = 'character varying' "
        "AND table_name <> 'seqloom_schema' AND collation_name IS DISTINCT FROM 'C' "
        "ORDER BY table_name, ordinal_position"
    )
    tables: dict[str, list[str]] = {}
    for table, column in connection.execute(of_texts):
        tables.setdefault(table, []).append(f'ALTER COLUMN "{column}" TYPE VARCHAR COLLATE "C"')
    for table, changes in tables.items():
        op.execute(f'ALTER TABLE "{table}" {", ".join(changes)}')
