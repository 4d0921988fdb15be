"""The fourth schema: what a run read, left and met; notes; what aliases pointed to; what is deleted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """From runs that told the sha256 of their data alone."""
    _data()
    _left_and_met()
    _notes()
    op.create_table(
        "alias_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("alias", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("former", sa.Integer(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alias_changes")),
    )
    op.create_index("ix_alias_changes_name", "alias_changes", ["name"])
    op.add_column("runs", sa.Column("environment", sa.JSON(), nullable=True))
    op.add_column("runs", sa.Column("git", sa.JSON(), nullable=True))
    for table in ("runs", "models"):
        op.add_column(table, sa.Column("deleted_at", MOMENT, nullable=True))
        op.add_column(table, sa.Column("purged_at", MOMENT, nullable=True))
    op.create_index("ix_runs_model", "runs", ["model"])
    op.create_index("ix_models_run_id", "models", ["run_id"])


def _data() -> None:
    """Files of data by their content, and which run read which."""
    files = op.create_table(
        "data_files",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_data_files")),
    )
    used = op.create_table(
        "run_data",
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("split", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_data_run_id")),
        sa.ForeignKeyConstraint(["sha256"], ["data_files.sha256"], name=op.f("fk_run_data_sha256")),
        sa.PrimaryKeyConstraint("run_id", "split", "path", name=op.f("pk_run_data")),
    )
    op.create_index("ix_run_data_sha256", "run_data", ["sha256"])
    connection = op.get_bind()
    runs = sa.table("runs", sa.column("id"), sa.column("data", sa.JSON()))
    rows = [
        {"run_id": run_id, "split": "", "path": path, "sha256": sha256}
        for run_id, data in connection.execute(sa.select(runs.c.id, runs.c.data))
        for path, sha256 in data.items()
    ]
    op.bulk_insert(files, [{"sha256": sha256} for sha256 in sorted({row["sha256"] for row in rows})])
    op.bulk_insert(used, rows)
    op.drop_column("runs", "data")


def _left_and_met() -> None:
    """What runs left, and what happened in them."""
    op.create_table(
        "artefacts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_artefacts_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artefacts")),
        sa.UniqueConstraint("run_id", "path", name=op.f("uq_artefacts_run_id_path")),
    )
    op.create_index("ix_artefacts_sha256", "artefacts", ["sha256"])
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_events_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index("ix_events_run_id", "events", ["run_id"])


def _notes() -> None:
    op.create_table(
        "notes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=True),
        sa.Column("model_id", sa.Integer(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.CheckConstraint("(run_id IS NULL) <> (model_id IS NULL)", name=op.f("ck_notes_one_owner")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_notes_run_id")),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name=op.f("fk_notes_model_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
    )
    op.create_index("ix_notes_run_id", "notes", ["run_id"])
    op.create_index("ix_notes_model_id", "notes", ["model_id"])
