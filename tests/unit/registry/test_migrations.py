from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from seqloom.registry.columns import Base
from seqloom.registry.migrate import known_schemas, migrate
from seqloom.registry.store import Registry
from seqloom.registry.tables import SCHEMA, SCHEMA_TABLE

SCHEMAS = sorted((Path(__file__).parent / "schemas").glob("*.sql"))
"""For each released schema a database of that time; never changed."""


def test_tables_are_what_the_migrations_make() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        migrate(connection)
        options = {"version_table": SCHEMA_TABLE, "compare_server_default": True}
        found = compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)
    engine.dispose()

    assert found == []


def test_names_of_constraints_are_those_of_the_tables() -> None:
    """What the comparison leaves out, so that later migrations can speak of every constraint."""
    written = {}
    for source in ("migrations", "tables"):
        engine = create_engine("sqlite://")
        with engine.begin() as connection:
            if source == "migrations":
                migrate(connection)
            else:
                Base.metadata.create_all(connection)
            query = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL"
            rows = connection.exec_driver_sql(query).all()
        engine.dispose()
        written[source] = {
            name: sorted(filter(None, (part.strip(" \t)") for part in re.split(r",\s|\n", sql))))
            for name, sql in rows
            if name != SCHEMA_TABLE
        }

    assert written["migrations"] == written["tables"]


def test_newest_schema_is_the_one_named() -> None:
    assert known_schemas()[0] == SCHEMA


def test_every_schema_is_kept() -> None:
    assert [file.stem for file in SCHEMAS] == sorted(known_schemas())


@pytest.mark.parametrize("file", SCHEMAS, ids=lambda file: file.stem)
def test_old_database_is_upgraded_and_read(file: Path, url: str, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "registry.db")) as connection:
        connection.executescript(file.read_text())

    with Registry(url) as registry:
        run = registry.run("20261121")
        model = registry.model("de-en@champion")
        added = registry.add_model("de-en", "translation", run.id, "/models/b", "", [])

    assert (run.status, run.model, run.config) == ("finished", "models:/de-en/1", {"train": {"steps": 20}})
    assert run.ended_at == datetime(2026, 11, 21, 0, 2, tzinfo=UTC)
    assert [(score.metric, score.value, score.parts) for score in run.scores] == [("bleu", 31.5, {})]
    assert (model.version, model.folder, model.run_id) == (1, "/models/a", run.id)
    assert [(score.metric, score.value) for score in model.scores] == [("bleu", 31.5)]
    assert added.version == 2
    with closing(sqlite3.connect(tmp_path / "registry.db")) as connection:
        assert connection.execute(f"SELECT version_num FROM {SCHEMA_TABLE}").fetchall() == [(SCHEMA,)]
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
