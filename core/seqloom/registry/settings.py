"""What runs were told, value by value: so that a query about a configuration need not read all of them.

Beside each run's configuration, which is JSON, stand its values: a row for each (key, value) that any run
was told, and which runs were told it. A query asks of each value once whether it passes.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, Connection, ForeignKey, cast, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from seqloom.registry.columns import Base
from seqloom.registry.configured import Configured
from seqloom.registry.texts import storable

NO_NAME: Final = re.compile(r"\.|^[0-9]+$")
"""What a query cannot name: a point parts keys, and digits alone are a position in a list."""


class SettingRow(Base):
    """A value at a key of some run's configuration; ``value`` is JSON."""

    __tablename__ = "settings"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(index=True)
    value: Mapped[str]


class RunSettingRow(Base):
    """That a run was told this."""

    __tablename__ = "run_settings"
    __table_args__ = ({"sqlite_with_rowid": False},)

    setting_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("settings.id"), primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)


def settings(config: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
    """Rows of :class:`SettingRow`, by id: each text, number and truth of a configuration with its key.

    The id is made of key and value, so nobody has to look for it.
    """
    found = {}
    for named, value in _values(config):
        key = storable(named)
        written = json.dumps(storable(value) if isinstance(value, str) else value)
        digest = hashlib.sha256(f"{key}\0{written}".encode()).digest()
        number = int.from_bytes(digest[:8], signed=True)
        found[number] = {"id": number, "key": key, "value": written}
    return found


def _values(config: Mapping[str, Any]) -> Iterator[tuple[str, str | float | bool]]:
    """Keys, dotted as ``evaluate.metrics.0.name``, with their values: all that a query can name."""
    waiting: list[tuple[str, Any]] = [("", config)]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, Mapping):
            named = ((str(name), within) for name, within in value.items())
            waiting += [
                (f"{key}.{name}" if key else name, within)
                for name, within in named
                if not NO_NAME.search(name)
            ]
        elif isinstance(value, list | tuple):
            waiting += [(f"{key}.{number}", within) for number, within in enumerate(value)]
        elif isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
            yield key, value


def enter_settings(connection: Connection, run_id: str, config: Mapping[str, Any]) -> None:
    """Says what a new run was told."""
    rows = settings(config)
    if not rows:
        return
    is_sqlite = connection.dialect.name == "sqlite"
    new = (sqlite.insert if is_sqlite else postgresql.insert)(SettingRow).on_conflict_do_nothing()
    connection.execute(new, [rows[number] for number in sorted(rows)])  # in one order: writers never cross
    connection.execute(insert(RunSettingRow), [{"setting_id": number, "run_id": run_id} for number in rows])


def told(run_id: Any, key: str, wanted: type, test: Callable[[Any], Any], *, is_sqlite: bool) -> Any:
    """That a run was told a value that passes a test.

    Args:
        run_id: The run's id, an expression.
        key: The value's key, dotted.
        wanted: Of which type it must be: bool, float or str.
        test: What it must pass.
        is_sqlite: Whether this is for SQLite; else it is for PostgreSQL.
    """
    written = SettingRow.value if is_sqlite else cast(SettingRow.value, JSON)
    value = Configured(written, (), is_sqlite=is_sqlite).of(wanted)
    passing = select(SettingRow.id).where(SettingRow.key == key, test(value))
    return run_id.in_(select(RunSettingRow.run_id).where(RunSettingRow.setting_id.in_(passing)))
