"""The fifth schema: what the scores of a metric come to, and indices of what queries ask about."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

OWNERS = ("run_id", "model_id")
NO_NAME = re.compile(r"\.|^[0-9]+$")


def upgrade() -> None:
    """From scores that a query had to look at one by one."""
    op.create_table(
        "score_summaries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=True),
        sa.Column("model_id", sa.Integer(), nullable=True),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("latest", sa.Double(), nullable=True),
        sa.Column("least", sa.Double(), nullable=True),
        sa.Column("most", sa.Double(), nullable=True),
        sa.CheckConstraint(
            "(run_id IS NULL) <> (model_id IS NULL)", name=op.f("ck_score_summaries_one_owner")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_score_summaries_run_id")),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name=op.f("fk_score_summaries_model_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_summaries")),
        sa.UniqueConstraint("run_id", "metric", name=op.f("uq_score_summaries_run_id_metric")),
        sa.UniqueConstraint("model_id", "metric", name=op.f("uq_score_summaries_model_id_metric")),
    )
    _sum_up()
    for owner in OWNERS:
        _index("score_summaries", owner, "metric", owner, "latest", "least", "most")
        _index("scores", owner, "metric", "step", owner)
    _settings()
    op.create_index("ix_tags_key", "tags", ["key"])
    for table in ("artefacts", "events"):
        op.create_index(f"ix_{table}_kind", table, ["kind"])
    op.create_index("ix_models_created_at", "models", ["created_at"])


def _sum_up() -> None:
    """Of the scores there are; the latest is that of the highest step, of several the last entered."""
    names = ("id", *OWNERS, "metric", "step", "value")
    scores = sa.table("scores", *(sa.column(name) for name in names))
    same = (scores.c.run_id, scores.c.model_id, scores.c.metric)
    newest_first = (scores.c.step.desc(), scores.c.id.desc())
    place = sa.func.row_number().over(partition_by=same, order_by=newest_first).label("place")
    placed = sa.select(*same, scores.c.step, scores.c.value, place).subquery()
    grouped = (placed.c.run_id, placed.c.model_id, placed.c.metric)
    sums = sa.select(
        *grouped,
        sa.func.max(placed.c.step),
        sa.func.max(sa.case((placed.c.place == 1, placed.c.value))),
        sa.func.min(placed.c.value),
        sa.func.max(placed.c.value),
    ).group_by(*grouped)
    columns = (*OWNERS, "metric", "step", "latest", "least", "most")
    summaries = sa.table("score_summaries", *(sa.column(name) for name in columns))
    op.execute(sa.insert(summaries).from_select(list(columns), sums))


def _index(table: str, owner: str, *columns: str) -> None:
    """An index of the rows that have such an owner."""
    there = sa.text(f"{owner} IS NOT NULL")
    name = f"ix_{table}_{'_'.join(columns)}"
    op.create_index(name, table, list(columns), sqlite_where=there, postgresql_where=there)


def _settings() -> None:
    """What runs were told, value by value."""
    made = op.create_table(
        "settings",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settings")),
    )
    op.create_index("ix_settings_key", "settings", ["key"])
    told = op.create_table(
        "run_settings",
        sa.Column("setting_id", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["setting_id"], ["settings.id"], name=op.f("fk_run_settings_setting_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_settings_run_id")),
        sa.PrimaryKeyConstraint("setting_id", "run_id", name=op.f("pk_run_settings")),
        sqlite_with_rowid=False,
    )
    runs = sa.table("runs", sa.column("id"), sa.column("config", sa.JSON()))
    known: set[int] = set()
    for run_id, config in op.get_bind().execute(sa.select(runs.c.id, runs.c.config)).all():
        rows = _values_told(config)
        op.bulk_insert(made, [row for number, row in rows.items() if number not in known])
        op.bulk_insert(told, [{"setting_id": number, "run_id": run_id} for number in rows])
        known |= rows.keys()


def _values_told(config: Any) -> dict[int, dict[str, Any]]:
    """Rows of the table of settings, by id: each text, number and truth of a configuration with its key."""
    found = {}
    for key, value in _named_values(config, ""):
        written = json.dumps(_storable(value) if isinstance(value, str) else value)
        number = int.from_bytes(hashlib.sha256(f"{key}\0{written}".encode()).digest()[:8], signed=True)
        found[number] = {"id": number, "key": key, "value": written}
    return found


def _named_values(value: Any, key: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, within in value.items():
            if not NO_NAME.search(name):
                yield from _named_values(within, f"{key}.{name}" if key else name)
    elif isinstance(value, list):
        for number, within in enumerate(value):
            yield from _named_values(within, f"{key}.{number}")
    elif isinstance(value, str | bool) or (isinstance(value, int | float) and math.isfinite(value)):
        yield key, value


def _storable(text: str) -> str:
    """With a replacement character for what no database holds: NUL, halves of characters."""
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
