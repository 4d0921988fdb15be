"""A PostgreSQL server of the tests' own: in a temporary folder, on a socket there, with its files' syncing on.

It compares text as German dictionaries do, so that what leaves the order of texts to the database is found out.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DEBIAN = Path("/usr/lib/postgresql")
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "120",
    "shared_buffers": "32MB",
    "lc_messages": "C",
    "autovacuum": "off",
}


def programs() -> Path | None:
    """Where ``initdb`` and ``postgres`` are; None where there are none."""
    on_path = shutil.which("initdb")
    places = [Path(on_path).resolve().parent] if on_path else []
    places += sorted(DEBIAN.glob("*/bin"), key=lambda place: int(place.parent.name), reverse=True)
    return next((place for place in places if (place / "initdb").exists()), None)


class Server:
    """A server; :meth:`start` starts it.

    Args:
        folder: Where it lives: a short path, as a socket's must be.
        programs: Where its programs are.
    """

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder = folder
        self.programs = programs
        self._numbers = itertools.count()
        self._process: subprocess.Popen[bytes] | None = None
        self._user = _other_user()
        if self._user:
            shutil.chown(folder, *self._user)
        options = ["--auth=trust", "--username=seqloom", "--no-sync", "--encoding=UTF8"]
        if self._version() >= 15:
            options += ["--locale=C", "--locale-provider=icu", "--icu-locale=de"]
        self._run("initdb", f"--pgdata={folder / 'data'}", *options)

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        settings = SETTINGS | {"unix_socket_directories": str(self.folder)}
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command("postgres", "-D", str(self.folder / "data"), *words),
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 60
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """Stops it: SIGQUIT as a crash does, SIGINT with a checkpoint."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=60)
            self._process = None

    def url(self, database: str = "postgres") -> str:
        """That of a database."""
        return f"postgresql://seqloom@/{database}?host={self.folder}"

    def new(self, template: str | None = None) -> str:
        """The URL of a new database: empty, or a copy of another, which nobody may be using."""
        name = f"test{next(self._numbers)}"
        self.tell(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        return self.url(name)

    def emptied(self, database: str) -> str:
        """The URL of a database whose rows are gone; whoever was still using it is put out."""
        self.tell(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")
        tables = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'"
        names = [name for (name,) in self.tell(tables, database) if name != "seqloom_schema"]
        self.tell(f"TRUNCATE {', '.join(names)} RESTART IDENTITY", database)
        return self.url(database)

    def tell(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Executes a statement, and gives the rows that come of it."""
        import psycopg

        with psycopg.connect(
            host=str(self.folder), user="seqloom", dbname=database, autocommit=True
        ) as one:
            cursor = one.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def _answers(self) -> bool:
        import psycopg

        try:
            self.tell("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _version(self) -> int:
        told = subprocess.run([self.programs / "postgres", "--version"], capture_output=True, check=True)
        return int(re.findall(r"\d+", told.stdout.decode())[0])

    def _command(self, program: str, *words: str) -> list[str]:
        """As another user than root, and ending with us, where the system can do that."""
        whole = [str(self.programs / program), *words]
        tool = shutil.which("setpriv")
        if tool is None:
            return whole
        user, group = self._user or (None, None)
        other = [f"--reuid={user}", f"--regid={group}", "--clear-groups"] if user else []
        return [tool, "--pdeathsig=QUIT", *other, "--", *whole]

    def _run(self, program: str, *words: str) -> None:
        done = subprocess.run(
            self._command(program, *words), cwd=self.folder, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()


def _other_user() -> Sequence[str] | None:
    """The user and group that the server runs as where we are root, whom it refuses."""
    import grp
    import pwd

    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = known.get("postgres") or known["nobody"]
    return entry.pw_name, grp.getgrgid(entry.pw_gid).gr_name


def why_not() -> str:
    """Why there can be no server here; nothing where there can."""
    if importlib.util.find_spec("psycopg") is None:
        return "a registry in PostgreSQL needs psycopg (pip install 'seqloom[postgresql]')"
    if programs() is None:
        return "a registry in PostgreSQL needs PostgreSQL (apt-get install postgresql)"
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        return "PostgreSQL refuses to be run by root, and there is no setpriv"
    return ""


@contextmanager
def running() -> Iterator[Server]:
    """A server that runs, where there can be one."""
    found = programs()
    assert found is not None, why_not()
    place = "/tmp" if os.access("/tmp", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="seqloom-", dir=place) as folder:
        server = Server(Path(folder), found)
        try:
            server.start()
            yield server
        finally:
            server.stop()
