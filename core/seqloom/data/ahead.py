"""Reads files before their features are needed, several at once.

Threads are enough: what decodes pictures and sound lets other threads run meanwhile.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar, final

Given = TypeVar("Given")
Made = TypeVar("Made")

THREADS: Final = 8  # at most: what each decodes may be large
AHEAD: Final = 64  # items begun before the first of them is needed


@final
class ReadAhead:
    """Begins work on items that come, and gives them in their order.

    Use it as a context: at its end, what nobody waits for is not begun.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(min(usable_cores(), THREADS), thread_name_prefix="seqloom-read")

    def __enter__(self) -> ReadAhead:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def begin(self, work: Callable[[], Made]) -> Callable[[], Made]:
        """Begins it in another thread; what comes back waits for its result, or raises what it raised."""
        return self._pool.submit(work).result

    def through(self, items: Iterable[Given], begin: Callable[[Given], Made]) -> Iterator[Made]:
        """What ``begin`` makes of each item, called :data:`AHEAD` items before that one is given."""
        begun: deque[Made] = deque()
        for item in items:
            begun.append(begin(item))
            if len(begun) > AHEAD:
                yield begun.popleft()
        yield from begun


def usable_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
