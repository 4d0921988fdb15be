"""Brings a database to the newest schema with Alembic, without any configuration file."""

from __future__ import annotations

import itertools
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def known_schemas() -> list[str]:
    """Numbers of all migrations, newest first."""
    return [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()]


def missing_migrations(schema: str | None) -> list[tuple[str, str]]:
    """Number and purpose of each migration beyond a schema, oldest first."""
    newest_first = ScriptDirectory.from_config(_config()).walk_revisions()
    beyond = itertools.takewhile(lambda script: script.revision != schema, newest_first)
    return [(script.revision, (script.doc or "").partition("\n")[0]) for script in beyond][::-1]


def migrate(connection: Connection, schema: str = "head") -> None:
    """Runs the migrations that are missing up to a schema, inside the connection's transaction."""
    command.upgrade(_config(connection), schema)


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.attributes["connection"] = connection
    folder = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))  # a lone % is syntax there
    return config
