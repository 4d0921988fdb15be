from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, insert, select

from seqloom.errors import StorageError
from seqloom.registry.columns import Base
from seqloom.registry.migrate import known_schemas, migrate
from seqloom.registry.records import Score
from seqloom.registry.scores import ScoreRow, SummaryRow
from seqloom.registry.settings import RunSettingRow, SettingRow
from seqloom.registry.store import Registry
from seqloom.registry.tables import SCHEMA, SCHEMA_TABLE, ModelRow, RunRow

SCHEMAS = Path(__file__).parent / "schemas"
"""For each released schema a database of that time, of each kind; never changed."""

RELEASED = sorted(file.stem for file in SCHEMAS.glob("*.sql"))
ASKED = {  # what constraints and indices there are, and what they say
    "sqlite": "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL",
    "postgresql": (
        "SELECT 'constraint ' || conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace "
        "UNION SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    ),
}


@pytest.fixture
def engine(empty: str) -> Iterator[Engine]:
    """Of a database in which nothing is, of each kind."""
    engine = create_engine(empty.replace("postgresql:", "postgresql+psycopg:"))
    yield engine
    engine.dispose()


@pytest.fixture
def old(schema: str, request: pytest.FixtureRequest, empty: str, file: Path) -> str:
    """A database of the schema, of each kind."""
    if empty.startswith("sqlite"):
        with closing(sqlite3.connect(file)) as connection:
            connection.executescript((SCHEMAS / f"{schema}.sql").read_text(encoding="utf-8"))
    else:
        script = (SCHEMAS / "postgresql" / f"{schema}.sql").read_text(encoding="utf-8")
        name = re.findall(r"/(\w+)\?", empty)[0]
        request.getfixturevalue("postgres").tell(script, name)
    return empty


def test_tables_are_what_the_migrations_make(engine: Engine) -> None:
    with engine.begin() as connection:
        migrate(connection)
        options = {"version_table": SCHEMA_TABLE, "compare_server_default": True}
        found = compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)

    assert found == []


def test_names_of_constraints_are_those_of_the_tables(engine: Engine) -> None:
    """What the comparison leaves out, so that later migrations can speak of every constraint."""
    written = {}
    for source in ("migrations", "tables"):
        with engine.connect() as connection:
            if source == "migrations":
                migrate(connection)
            else:
                Base.metadata.create_all(connection)
            rows = connection.exec_driver_sql(ASKED[engine.dialect.name].replace("%", "%%")).all()
            connection.rollback()
        written[source] = {
            name: sorted(filter(None, (part.strip(" \t)") for part in re.split(r",\s|\n", sql))))
            for name, sql in rows
            if SCHEMA_TABLE not in name
        }

    assert len(written["tables"]) > 10
    assert written["migrations"] == written["tables"]


def test_newest_schema_is_the_one_named() -> None:
    assert known_schemas()[0] == SCHEMA


def test_every_schema_is_kept() -> None:
    assert sorted(known_schemas()) == RELEASED
    assert sorted(file.stem for file in SCHEMAS.glob("postgresql/*.sql")) == RELEASED


@pytest.mark.parametrize("schema", RELEASED)
def test_old_database_is_upgraded_and_read(old: str) -> None:
    with Registry(old) as registry:
        run = registry.run("20261121")
        model = registry.model("de-en@champion")
        added = registry.add_model("de-en", "translation", run.id, "/models/b", "", [])
        registry.add_scores(run.id, run.scores)
        again = registry.run(run.id)
        runs = registry.runs("max(bleu) = 31.5 and bleu = 31.5 and config.train.steps = 20")
        models = registry.models("min(bleu) = 31.5 and config.train.steps = 20")

    assert (run.status, run.model, run.config) == ("finished", "models:/de-en/1", {"train": {"steps": 20}})
    assert run.ended_at == datetime(2026, 11, 21, 0, 2, tzinfo=UTC)
    assert [(score.metric, score.value, score.parts) for score in run.scores] == [("bleu", 31.5, {})]
    assert (model.version, model.folder, model.run_id) == (1, "/models/a", run.id)
    assert [(score.metric, score.value) for score in model.scores] == [("bleu", 31.5)]
    assert added.version == 2
    assert ([one.id for one in runs], [one.version for one in models]) == ([run.id], [1])
    assert again.scores == run.scores
    assert [(file.path, file.sha256) for file in run.data] == [("train.de", "ab12")]


SUMMED = (
    (SummaryRow, "run_id", "model_id", "metric", "step", "latest", "least", "most"),
    (SettingRow, "id", "key", "value"),
    (RunSettingRow, "setting_id", "run_id"),
)
"""What a migration made of what was there, without numbers that only count rows."""


@pytest.mark.parametrize("schema", ["0004"])
def test_upgrade_sums_up_what_entering_sums_up(
    old: str, tmp_path: Path, facts: dict[str, Any], engine: Engine
) -> None:
    """Scores and configurations of the fourth schema, as if they were entered now."""
    config = {"on": True, "a.b": 1, "7": 1, "list": [1.5, {"x": None, "y": "ß"}], "none": {}}
    with Registry(f"sqlite:///{tmp_path}/new.db") as new:
        for number in range(3):
            run = new.start_run(**facts | {"config": config | {"seed": number}})
            for step, value in ((100, 1.0), (300, math.nan), (200, -2.0), (300, 5.0), (300, 4.0))[number:]:
                names = (f"{value}", f"not {value}")
                scores = [
                    Score(metric="a", value=value, split=name, step=step, signature="") for name in names
                ]
                new.add_scores(run.id, [*scores, replace(scores[0], metric="b")])
            new.add_model("m", "t", run.id, "/x", "", scores[:1])
        with new._reading() as session, engine.begin() as connection:
            for table in (
                *["notes", "events", "artefacts", "aliases", "run_data", "scores", "tags"],
                "models",
                "runs",
            ):
                connection.exec_driver_sql(f"DELETE FROM {table}")
            for row in (RunRow, ModelRow, ScoreRow):
                rows = session.execute(select(*row.__table__.columns)).mappings()
                connection.execute(insert(row), [dict(one) for one in rows])

        with Registry(old) as upgraded:
            assert len(upgraded.runs("config.list.1.y = 'ß' and max(a) > 0")) == 3
            for row, *columns in SUMMED:
                wanted = select(*(getattr(row, column) for column in columns))
                with new._reading() as session, upgraded._reading() as other:
                    entered, summed = (sorted(map(repr, one.execute(wanted))) for one in (session, other))
                    assert summed == entered != []


def content(file: Path) -> list[str]:
    """All that a database of SQLite's says."""
    with closing(sqlite3.connect(file)) as connection:
        return sorted(connection.iterdump())


@pytest.mark.parametrize("schema", RELEASED[:-1])
def test_upgrade_keeps_a_copy_of_what_was(schema: str, file: Path, sqlite: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript((SCHEMAS / f"{schema}.sql").read_text(encoding="utf-8"))
    file.chmod(0o640)
    before = content(file)

    Registry(sqlite).prepare()

    copy = file.with_name(f"registry.db.{schema}.bak")
    assert content(copy) == before != content(file)
    assert copy.stat().st_mode == file.stat().st_mode
    assert {one.name for one in file.parent.iterdir()} == {file.name, f"{file.name}.lock", copy.name}
    with Registry(f"sqlite:///{copy}") as registry:  # it is a registry as any other
        assert registry.run("20261121").status == "finished"


def test_copies_are_never_replaced(file: Path, sqlite: str) -> None:
    """Who put an old copy back and went on with an old Seqloom has two to keep."""
    script = (SCHEMAS / "0003.sql").read_text(encoding="utf-8")
    kept = [file.with_name(f"registry.db.0003{number}.bak") for number in ("", ".2")]
    for statements in (script, script, script + "UPDATE runs SET name = 'b';"):
        file.unlink(missing_ok=True)
        with closing(sqlite3.connect(file)) as connection:
            connection.executescript(statements)
        Registry(sqlite).prepare()

    names = []
    for copy in kept:
        with closing(sqlite3.connect(copy)) as connection:
            names += connection.execute("SELECT name FROM runs").fetchall()
    assert names == [("de-en",), ("b",)]
    assert len(list(file.parent.glob("*.bak"))) == 2


def test_new_database_needs_no_copy(file: Path, sqlite: str) -> None:
    Registry(sqlite).prepare()

    assert sorted(one.name for one in file.parent.iterdir()) == [file.name, f"{file.name}.lock"]


def test_without_a_copy_there_is_no_upgrade(file: Path, sqlite: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript((SCHEMAS / "0003.sql").read_text(encoding="utf-8"))
    file.with_name(".registry.db.0003.bak.part").mkdir()
    before = content(file)

    with pytest.raises(StorageError, match=r"registry.db cannot be copied to .*registry.db.0003.bak \("):
        Registry(sqlite).prepare()

    assert content(file) == before


def test_newer_schema_is_refused_with_what_helps(empty: str, engine: Engine) -> None:
    with engine.begin() as connection:
        migrate(connection)
        connection.exec_driver_sql("UPDATE seqloom_schema SET version_num = '9999'")

    with pytest.raises(StorageError, match=r"has schema '9999'.* pip install --upgrade seqloom"):
        Registry(empty).prepare()
