"""What may happen to a registry while somebody uses it, and how it ends."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

import pytest

from postgres import Server
from seqloom.registry.store import Registry

PARTS = ("", "-wal", "-shm")
TROUBLE = """
import os, signal, sqlite3, sys
one = sqlite3.connect(sys.argv[1], isolation_level=None)
one.execute("BEGIN IMMEDIATE")
one.execute("DELETE FROM scores")
one.execute("UPDATE runs SET name = name || hex(randomblob(1000000))")
os.kill(os.getpid(), signal.SIGKILL)
"""
"""A writer that is killed in the middle of it, with more to write than it can keep in memory."""


# What happens to a database in a file ------------------------------------------------------------------


class Fault(ABC):
    """Something that happens to a registry, and its end.

    Args:
        folder: Where the registry's file is, alone but for what SQLite and we lay beside it.
        chance: Makes of each fault another.
    """

    stands: ClassVar[bool] = True
    """Whether whom it meets is to stand still while it happens; else it waits for who writes."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.file = folder / "registry.db"
        self.kept = folder.with_name(f"{folder.name}.kept")
        self.chance = chance

    @property
    def url(self) -> str:
        return f"sqlite:///{self.file}"

    def prepare(self) -> None:  # noqa: B027 - most have nothing to prepare
        """Before anything."""

    @abstractmethod
    def strike(self) -> None:
        """It happens."""

    @abstractmethod
    def mend(self) -> None:
        """It is over."""

    def close(self) -> None:  # noqa: B027 - or to close
        """After all."""

    def keep(self) -> None:
        """Makes a copy, as a careful user has one."""
        with sqlite3.connect(self.file) as one, sqlite3.connect(self.kept) as other:
            one.backup(other)
        one.close()
        other.close()

    def remove(self) -> None:
        for part in PARTS:
            place = self.file.with_name(self.file.name + part)
            if place.is_dir():
                place.rmdir()
            place.unlink(missing_ok=True)

    def put_back(self) -> None:
        """Puts the copy in its place."""
        self.remove()
        shutil.copy(self.kept, self.file)


class Deleted(Fault):
    """Its files are gone; a copy comes back."""

    def strike(self) -> None:
        self.keep()
        self.remove()

    def mend(self) -> None:
        self.put_back()


class Moved(Fault):
    """It is moved away, and back."""

    def strike(self) -> None:
        self._move("", ".away")

    def mend(self) -> None:
        self._move(".away", "")

    def _move(self, here: str, there: str) -> None:
        for part in PARTS:
            if Path(f"{self.file}{part}{here}").exists():
                Path(f"{self.file}{part}{here}").rename(f"{self.file}{part}{there}")


class Garbage(Deleted):
    """Its file holds something else."""

    def strike(self) -> None:
        self.keep()
        self.file.write_bytes(self.chance.randbytes(self.file.stat().st_size))


class Pages(Deleted):
    """Some of its pages are overwritten: what is damaged is found out when it is read, or never."""

    def strike(self) -> None:
        self.keep()
        pages = self.file.stat().st_size // 4096
        with self.file.open("r+b") as stream:
            for page in self.chance.sample(range(pages), self.chance.randint(1, pages)):
                stream.seek(4096 * page)
                stream.write(self.chance.choice((bytes(4096), self.chance.randbytes(4096))))


class Signs(Deleted):
    """Some of its bytes are others: texts that are no UTF-8, no JSON, no date."""

    def strike(self) -> None:
        self.keep()
        size = self.file.stat().st_size
        with self.file.open("r+b") as stream:
            for _ in range(self.chance.randint(1, 400)):
                stream.seek(self.chance.randrange(100, size))
                stream.write(self.chance.randbytes(2))


class Cut(Deleted):
    """It ends early."""

    def strike(self) -> None:
        self.keep()
        os.truncate(self.file, self.chance.choice((0, 100, 4096, self.file.stat().st_size // 2)))


class Other(Deleted):
    """Something else of its name is there: a folder, another program's database, a registry without runs."""

    def prepare(self) -> None:
        with Registry(f"sqlite:///{self.kept}.empty") as empty:
            empty.prepare()

    def strike(self) -> None:
        super().strike()
        kind = self.chance.choice(("folder", "database", "registry"))
        if kind == "folder":
            self.file.mkdir()
        elif kind == "database":
            with sqlite3.connect(self.file) as one:
                one.execute("CREATE TABLE customers (id)")
            one.close()
        else:
            shutil.copy(f"{self.kept}.empty", self.file)


class Immutable(Fault):
    """Nobody may write it, be it root."""

    def strike(self) -> None:
        call("chattr", "+i", self.file)

    def mend(self) -> None:
        call("chattr", "-i", self.file)

    def close(self) -> None:
        subprocess.run(["chattr", "-i", self.file], capture_output=True, check=False)


class ReadOnly(Fault):
    """Its disk turns read-only."""

    def strike(self) -> None:
        call("mount", "--bind", self.file.parent, self.file.parent)
        call("mount", "-o", "remount,bind,ro", self.file.parent)

    def mend(self) -> None:
        call("umount", "--lazy", self.file.parent)

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", self.file.parent], capture_output=True, check=False)


class Full(Fault):
    """Its disk is full."""

    def prepare(self) -> None:
        call("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", self.file.parent)

    def strike(self) -> None:
        with (self.file.parent / "filler").open("wb", buffering=0) as stream, suppress(OSError):
            while stream.write(bytes(4096)):
                pass

    def mend(self) -> None:
        (self.file.parent / "filler").unlink()

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", self.file.parent], capture_output=True, check=False)


class Locked(Fault):
    """Another program writes for a while."""

    stands = False

    def strike(self) -> None:
        self.other = sqlite3.connect(self.file, isolation_level=None)
        self.other.execute("BEGIN IMMEDIATE")

    def mend(self) -> None:
        self.other.execute("ROLLBACK")
        self.other.close()


class Killed(Fault):
    """Another writer is killed in the middle of it."""

    stands = False

    def strike(self) -> None:
        done = subprocess.run([sys.executable, "-c", TROUBLE, self.file], check=False)
        assert done.returncode == -signal.SIGKILL

    def mend(self) -> None:
        pass


def call(*words: object) -> None:
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"this takes {words[0]}: {done.stderr.strip()}")


# A server ----------------------------------------------------------------------------------------------


class Gone(Fault):
    """Its server crashes, and is started again."""

    def __init__(self, server: Server, chance: random.Random) -> None:
        super().__init__(server.folder, chance)
        self.server = server
        self._url = server.new()
        self.database = urlsplit(self._url).path.removeprefix("/")

    @property
    def url(self) -> str:
        return self._url

    def strike(self) -> None:
        self.server.stop(self.chance.choice((signal.SIGQUIT, signal.SIGKILL)))

    def mend(self) -> None:
        self.server.start()


class Refusing(Gone):
    """It lets nobody write."""

    stands = False

    def strike(self) -> None:
        self._set("on")

    def mend(self) -> None:
        self._set("off")

    def _set(self, value: str) -> None:
        self.server.tell(f"ALTER DATABASE {self.database} SET default_transaction_read_only = {value}")
        self.server.tell(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.database}'"
        )


IN_A_FILE = (Deleted, Moved, Garbage, Pages, Signs, Cut, Other, Immutable, ReadOnly, Full, Locked, Killed)
ON_A_SERVER = (Gone, Refusing)
