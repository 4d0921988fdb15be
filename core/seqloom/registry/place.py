"""Where is the database that a URL names, and what may be shown of the URL?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from seqloom.errors import ConfigError

DRIVERS: Final = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
"""What is used of each kind of database; ``postgres`` is how PostgreSQL's own tools write it, too."""


def parse(url: str) -> URL:
    """The parts of a URL, with the driver that we use.

    Raises:
        ConfigError: It makes no sense, or is that of another kind of database.
    """
    wanted = "for a file write sqlite:///FILE, for PostgreSQL postgresql://USER@HOST/NAME"
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:  # ValueError: of a port
        raise ConfigError(f"'{shown(url)}' is not the URL of a database; {wanted}") from error
    kind, _, driver = parsed.drivername.partition("+")
    if kind not in DRIVERS:
        raise ConfigError(f"'{shown(url)}' is the URL of no database that Seqloom knows; {wanted}")
    ours = DRIVERS[kind]
    if driver and parsed.drivername.replace("postgres+", "postgresql+") not in {ours, "sqlite+pysqlite"}:
        raise ConfigError(f"'{shown(url)}' names a driver that Seqloom does not use; leave '+{driver}' out")
    return parsed.set(drivername=ours)


def sqlite_file(url: str) -> Path | None:
    """SQLite's file, there or not; None for a database in memory or behind a server.

    Raises:
        ConfigError: The URL makes no sense.
    """
    parsed = parse(url)
    if parsed.drivername != "sqlite" or parsed.database in {None, "", ":memory:"}:
        return None
    return Path(str(parsed.database).removeprefix("file:")).absolute()


def shown(url: str) -> str:
    """A URL, well formed or not, without its password."""
    hidden = re.sub(r"(://[^:/@]*:).*@", r"\1***@", url)
    return re.sub(r"((?:^|[?&])password=)[^&]*", r"\1***", hidden)
