"""The third schema: runs and models have tags."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """From runs and models of which nobody could say anything."""
    op.create_table(
        "tags",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=True),
        sa.Column("model_id", sa.Integer(), nullable=True),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.CheckConstraint("(run_id IS NULL) <> (model_id IS NULL)", name=op.f("ck_tags_one_owner")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_tags_run_id")),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name=op.f("fk_tags_model_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tags")),
        sa.UniqueConstraint("run_id", "key", name=op.f("uq_tags_run_id_key")),
        sa.UniqueConstraint("model_id", "key", name=op.f("uq_tags_model_id_key")),
    )
