"""Registries whose writers are killed: what a process of its own does, as its children are forked of it.

It prints one JSON object; test_registry_kills.py says what that must say.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from sqlalchemy import Engine, event
from struck import Points, ended, forked

from seqloom.errors import StorageError
from seqloom.registry import migrate
from seqloom.registry.place import sqlite_file
from seqloom.registry.records import Score
from seqloom.registry.store import Registry

SCORES = [Score(metric="bleu", value=31.5, split="valid", step=500, signature="")]
CHECKED = 100
"""After so many kills SQLite's file is looked through."""

POINTS = 14
"""Of a transaction that registers a model, there are about as many at which it may be struck."""


# Commits -------------------------------------------------------------------------------------------------


class Teller:
    """A child's end of a pipe: ``b`` as a transaction begins, its model's mark and version as it is done."""

    def __init__(self, pipe: int, mark: str) -> None:
        self.pipe = pipe
        self.mark = mark

    def begin(self, *_: object) -> None:
        os.write(self.pipe, b"b\n")

    def register(self, registry: Registry, number: int) -> None:
        mark = f"{self.mark}.{number}"
        model = registry.add_model("de-en", "translation", None, "/models/x", mark, SCORES)
        os.write(self.pipe, f"{mark} {model.version}\n".encode())


def victim(registry: Registry, pipe: int, mark: str, last: int | None) -> None:
    """Registers models until it is killed: at the given point, or by its parent."""
    teller = Teller(pipe, mark)
    event.listen(Engine, "begin", teller.begin)
    Points(last).watch()
    for number in range(1000):
        teller.register(registry, number)


def bystander(registry: Registry, pipe: int) -> None:
    """Registers models until its parent is gone or has heard enough."""
    teller, parent = Teller(pipe, "bystander"), os.getppid()
    for number in range(1_000_000):
        if os.getppid() != parent:
            return
        teller.register(registry, number)
        time.sleep(0.002)


@contextmanager
def beside(registry: Registry, told: list[str]) -> Iterator[None]:
    """Another process that goes on writing meanwhile."""
    source, target = os.pipe()
    child = forked(lambda: bystander(registry, target))
    os.close(target)
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        with os.fdopen(source) as lines:
            told += lines.read().splitlines()
        code = ended(child)
    assert code == -signal.SIGKILL, f"the bystander ended in {code}"


def strike(registry: Registry, mark: str, chance: random.Random) -> list[str]:
    """Kills a child at a point that it counts itself, or at a random moment; gives what it had told."""
    source, target = os.pipe()
    counted = chance.random() < 0.5
    last = chance.randrange(3 * POINTS) if counted else None
    child = forked(lambda: victim(registry, target, mark, last))
    os.close(target)
    with os.fdopen(source) as lines:
        told = []
        if not counted:
            told.append(lines.readline().strip())  # it begins
            time.sleep(chance.random() * 0.015)
            os.kill(child, signal.SIGKILL)
        told += lines.read().splitlines()
    assert ended(child) == -signal.SIGKILL
    return told


def damage_of(url: str) -> list[str]:
    """What SQLite finds wrong with its file; a server looks after its own."""
    file = sqlite_file(url)
    if file is None:
        return []
    with closing(sqlite3.connect(file)) as connection:
        found = [line for (line,) in connection.execute("PRAGMA integrity_check") if line != "ok"]
        return found + [str(row) for row in connection.execute("PRAGMA foreign_key_check")]


def commits(url: str, kills: int, seed: int) -> dict[str, Any]:
    """Kills children, each in a transaction, while another writes on.

    Returns:
        How many were killed in transactions and how many were acknowledged; what is missing or differs.
    """
    chance, told = random.Random(seed), []
    registry = Registry(url)
    registry.add_model("de-en", "translation", None, "/models/x", "first", SCORES)
    registry.close()  # nothing of SQLite's or of a connection's may be open in a process that forks
    damage: list[str] = []
    inside = number = 0
    with beside(registry, told):
        while inside < kills:
            found = strike(registry, str(number), chance)
            number += 1
            inside += bool(found) and found[-1] == "b"
            told += [line for line in found if line != "b"]
            if number % CHECKED == 0 or inside == kills:
                damage += damage_of(url)
    with Registry(url) as again:
        there = {model.sha256: model.version for model in again.models()}
    said = dict(line.split() for line in told if " " in line)
    return {
        "killed": number,
        "inside": inside,
        "acknowledged": len(said),
        "lost": sorted(mark for mark, version in said.items() if there.get(mark) != int(version)),
        "unacknowledged": len(there) - 1 - len(said),
        "damage": damage,
        "gaps": sorted(there.values()) != list(range(1, len(there) + 1)),
    }


# First starts --------------------------------------------------------------------------------------------


def start(url: str, gate: int) -> None:
    os.read(gate, 1)  # until it is opened for all
    with Registry(url) as registry:
        registry.add_model("de-en", "translation", None, "/models/x", "", SCORES)


def starts(url: str, processes: int) -> dict[str, Any]:
    """Lets processes open a registry that is not there yet, and write, all at once."""
    gate, opened = os.pipe()
    children = [forked(lambda: (os.close(opened), start(url, gate))) for _ in range(processes)]
    os.close(opened)
    os.close(gate)
    codes = [ended(child) for child in children]
    with Registry(url) as registry:
        versions = sorted(model.version for model in registry.models())
    return {"codes": codes, "versions": versions}


# A server that crashes -----------------------------------------------------------------------------------


def writer(registry: Registry, pipe: int, mark: str) -> None:
    teller = Teller(pipe, mark)
    for number in range(1_000_000):
        try:
            teller.register(registry, number)
        except StorageError:
            return


def writers(url: str, processes: int) -> dict[str, Any]:
    """Lets processes register models until their server is gone; gives each mark's version."""
    registry = Registry(url)
    registry.add_model("warm", "translation", None, "/models/x", "", SCORES)
    registry.close()
    source, target = os.pipe()
    mark = secrets.token_hex(3)
    children = [forked(lambda n=n: writer(registry, target, f"{mark}.{n}")) for n in range(processes)]
    os.close(target)
    with os.fdopen(source) as lines:
        said = dict(line.split() for line in lines)
    return {"codes": [ended(child) for child in children], "said": said}


def main() -> None:
    """Does what the arguments say: a function's name, and what it takes."""
    migrate.known_schemas()  # imports Alembic once for all
    what, *arguments = json.loads(sys.argv[1])
    acts = (commits, starts, writers)
    (act,) = (act for act in acts if act.__name__ == what)
    print(json.dumps(act(*arguments)))


if __name__ == "__main__":
    main()
