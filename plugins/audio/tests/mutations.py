"""Reads changed files in a process of its own, with little memory: whatever a decoder does, it does here.

Usage: python mutations.py FOLDER COUNT SEED
"""

from __future__ import annotations

import random
import resource
import sys
from collections import Counter
from pathlib import Path

import hostile_sound

from seqloom.errors import DataError
from seqloom_audio.reading import read_sound

SPARE_BYTES = 512 * 2**20  # of address space, beyond what all that was imported takes
SECONDS = 600  # of this process, before it counts as hung


def mutated(data: bytes, draw: random.Random) -> bytes:
    """A file with some of its bytes changed, most of them where it begins; or cut, or longer."""
    broken = bytearray(data)
    for _ in range(draw.randint(1, 6)):
        end = len(broken) if draw.random() < 0.5 else min(200, len(broken))
        broken[draw.randrange(end)] = draw.randrange(256)
    kind = draw.random()
    if kind < 0.1:
        return bytes(broken[: draw.randrange(len(broken))])
    if kind < 0.2:
        at = draw.randrange(len(broken))
        return bytes(broken[:at] + broken[at - draw.randrange(200) :])
    return bytes(broken)


def bound() -> None:
    """Refuses this process more memory than it needs, and time without end."""
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + SPARE_BYTES,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS,) * 2)


def main(folder: Path, count: int, seed: int) -> None:
    """Prints how many were read and how many refused; ends with an error where one is neither."""
    draw, good, found = random.Random(seed), list(hostile_sound.whole().items()), Counter[str]()
    for kind, data in good:
        file = folder / f"good.{kind}"
        file.write_bytes(data)
        assert len(read_sound(str(file), 16_000)) == 8_000  # imports what it needs
    bound()
    for number in range(count):
        kind, data = draw.choice(good)
        file = folder / f"{number}.{kind}"
        file.write_bytes(mutated(data, draw))
        try:
            read_sound(str(file), 16_000)
            found["read"] += 1
        except DataError as error:
            found["refused" if str(error).startswith(f"{file}: ") else "refused without its name"] += 1
        file.unlink()
    sys.stdout.write(f"{found['read']} {found['refused']}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
