"""Writes the database of an old schema for PostgreSQL, of the one that is kept for SQLite.

Usage: python tests/unit/registry/keep_schema.py 0004

The tables are those that the migrations make, the rows are SQLite's. A schema that was released is written once
and never again.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

from sqlalchemy import create_engine

sys.path.insert(0, str(Path(__file__).parents[2]))
import postgres
from seqloom.registry.migrate import migrate

SCHEMAS = Path(__file__).with_name("schemas")
LEFT_OUT = ("--", "\\", "SET ", "SELECT pg_catalog.set_config")


def literal(value: object) -> str:
    return "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"


def statements(schema: str) -> list[str]:
    """What enters the rows of SQLite's database into tables that are there."""
    kept = sqlite3.connect(":memory:")
    kept.executescript((SCHEMAS / f"{schema}.sql").read_text(encoding="utf-8"))
    found = ["SET TIME ZONE 'UTC'", "SET session_replication_role = replica"]
    tables = kept.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall()
    for (table,) in tables:
        if table == "seqloom_schema":
            continue
        rows = kept.execute(f'SELECT * FROM "{table}"')
        columns = [column for column, *_ in rows.description]
        names = ", ".join(f'"{column}"' for column in columns)
        found += [
            f"INSERT INTO {table} ({names}) VALUES ({', '.join(map(literal, row))})"
            for row in rows.fetchall()
        ]
        if "id" in columns and table != "runs":
            last = f"(SELECT max(id) FROM {table})"
            sequence = f"pg_get_serial_sequence('{table}', 'id')"
            found.append(f"SELECT setval({sequence}, greatest(1, {last}), {last} IS NOT NULL)")
    return found


def keep(server: postgres.Server, schema: str) -> None:
    """Writes one."""
    engine = create_engine(server.new().replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        migrate(connection, schema)
        for statement in statements(schema):
            connection.exec_driver_sql(statement.replace("%", "%%"))
    database = str(engine.url.database)
    engine.dispose()
    options = ["--inserts", "--no-owner", "--no-privileges", "--no-comments"]
    where = ["--host", str(server.folder), "--username", "seqloom", database]
    dumped = subprocess.run(
        [server.programs / "pg_dump", *options, *where], capture_output=True, text=True, check=True
    )
    lines = [line for line in dumped.stdout.splitlines() if line.strip() and not line.startswith(LEFT_OUT)]
    (SCHEMAS / "postgresql" / f"{schema}.sql").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    with postgres.running() as running:
        for wanted in sys.argv[1:]:
            keep(running, wanted)
