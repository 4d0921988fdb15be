"""The second schema: scores tell what they are made of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """From scores that tell their values alone."""
    op.add_column("scores", sa.Column("parts", sa.JSON(), nullable=True))
