"""Who else trains? Nobody, or the other processes that a launcher (torchrun) started with this one.

The ranks of a world run the same steps over their shares of the same batches. They meet in few places, to
which every rank comes: sums of tensors (:meth:`World.add_up`) and exchanges of small facts
(:meth:`World.agree`). What one rank alone may fail at is done within an exchange, so that all fail alike,
and none is waited for in vain. A world of one sends nothing and copies nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, final

from seqloom import errors
from seqloom.errors import ConfigError, Interrupted, LostError, SeqloomError, ToldError, is_out_of_memory

if TYPE_CHECKING:
    from torch import Tensor

    from seqloom.collectives import Collectives

T = TypeVar("T")
NEEDED: Final = ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
"""What a launcher says besides WORLD_SIZE."""


@final
class World:
    """The processes of a training; a context manager that connects them.

    Args:
        rank: The number of this process; rank 0 alone writes and speaks.
        size: How many there are.
        local_rank: The number of this process among those of this machine.
    """

    def __init__(self, rank: int = 0, size: int = 1, local_rank: int = 0) -> None:
        self.rank = rank
        self.size = size
        self.local_rank = local_rank
        self._links: Collectives | None = None
        self._has_met = False
        self._is_together = False
        self._common: BaseException | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> World:
        """The world that a launcher describes; of one where there is no launcher.

        Raises:
            ConfigError: A variable is missing or no number.
        """
        size = _number("WORLD_SIZE", environment.get("WORLD_SIZE", "1"))
        if size == 1:
            return cls()
        missing = [name for name in NEEDED if name not in environment]
        if missing:
            raise ConfigError(
                f"WORLD_SIZE says that {size} processes train together, but {', '.join(missing)} is not "
                f"set; start them by torchrun --nproc-per-node {size} -m seqloom train, or unset WORLD_SIZE"
            )
        rank, local_rank = (_number(name, environment[name]) for name in NEEDED[:2])
        return cls(rank, size, local_rank)

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that writes and speaks."""
        return self.rank == 0

    # Meeting ---------------------------------------------------------------------------------------

    def add_up(self, tensors: Iterable[Tensor]) -> None:
        """Replaces each tensor by its sum over all ranks: the same bits on each."""
        if self._links is not None:
            self._links.add_up(tensors)

    def spread(self, tensors: Iterable[Tensor]) -> None:
        """Replaces each tensor by that of rank 0."""
        if self._links is not None:
            self._links.spread(tensors)

    def agree(self, work: Callable[[], T]) -> list[T]:
        """What some work gave on each rank, in their order.

        Args:
            work: Gives something that JSON can carry; meets nobody itself.

        Raises:
            Exception: The error of the first rank that failed, on all of them.
        """
        if self._links is None:
            return [work()]
        own: dict[int, Exception] = {}
        message: dict[str, Any] = {}
        try:
            message["value"] = work()
        except Exception as error:
            own[self.rank], message["error"] = error, _described(error)
        told = [json.loads(text) for text in self._links.exchange(json.dumps(message).encode())]
        for rank, other in enumerate(told):
            if "error" in other:
                raise self.common(own.get(rank) or _rebuilt(other["error"], rank))
        return [other["value"] for other in told]

    def first(self, work: Callable[[], T]) -> T:
        """Lets rank 0 alone do some work, and all have what it gave or fail as it did."""
        return self.agree(work if self.is_first else lambda: None)[0]  # type: ignore[return-value]

    def each(self, work: Callable[[], T]) -> T:
        """What some work gave on this rank, be it what it may; where it fails on one, it fails on all."""
        results: list[T] = []
        self.agree(lambda: results.append(work()))
        return results[0]

    def in_turn(self, work: Callable[[], T]) -> T:
        """Like :meth:`each`, but the others begin when rank 0 is done, and find what it left."""
        if not self.is_first:
            self.agree(lambda: None)
        result = self.each(work)
        if self.is_first:
            self.agree(lambda: None)
        return result

    def common(self, error: BaseException) -> BaseException:
        """The error, marked as one that every rank raises here, so that rank 0 alone tells of it."""
        self._common = error
        return error

    # From beginning to end -------------------------------------------------------------------------

    def __enter__(self) -> Self:
        if self.size > 1:
            from seqloom.collectives import Collectives  # noqa: PLC0415 - a world of one needs no torch

            self._links = Collectives(self.rank, self.size)
        return self

    @contextmanager
    def together(self, word: str = "") -> Iterator[str]:
        """The block that all ranks run at the same time; around it rank 0 works, and the others wait.

        Args:
            word: What rank 0 tells the others beforehand; nothing where there is nothing to do together.

        Yields:
            What rank 0 told.
        """
        heard = self.first(lambda: word)
        self._has_met = self._is_together = True
        yield heard
        self._is_together = False  # an error leaves it True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Waits for rank 0's last words where all ended alike; then cuts the connections.

        Raises:
            ToldError: Rank 0 tells why this rank ends, too.
        """
        if self._links is None:
            return
        try:
            end = self._part(self._links, error)
        finally:
            self._links.leave()
            self._links = None
        if end is not None and end is self._common and not self.is_first:
            raise ToldError(end) from end
        if end is not None and end is not error:
            raise end

    def _part(self, links: Collectives, error: BaseException | None) -> BaseException | None:
        """The last exchanges, where the others come to them, too; what ends this rank, by now."""
        is_common = error is not None and error is self._common
        is_awaited = self.is_first and not self._is_together
        if error is not None and not (is_common or is_awaited):
            return error  # the others are in the midst of a step, and find that this rank is gone
        try:
            if not is_common:
                error = self._dismiss(error)
            if error is not None:
                links.exchange(b"")  # rank 0 comes here when all is written
        except LostError as lost:
            return error if self.is_first else error or lost
        return error

    def _dismiss(self, error: BaseException | None) -> BaseException | None:
        """Tells those that wait how the work of rank 0 alone ended; what ends all of them."""
        if error is None and not self._has_met:
            with self.together():
                pass
        try:
            self.agree(lambda: _raise(error))
        except LostError:
            raise
        except Exception as told:
            return told
        return None


def _number(name: str, text: str) -> int:
    if not text.isdecimal():
        raise ConfigError(f"the environment variable {name} is '{text}', and not a number")
    return int(text)


# Errors that travel ------------------------------------------------------------------------------------

_KINDS: Final = {
    kind.__name__: kind
    for kind in (*vars(errors).values(), MemoryError, OSError)
    if isinstance(kind, type) and issubclass(kind, SeqloomError | MemoryError | OSError)
}


def _raise(error: BaseException | None) -> None:
    if error is not None:
        raise error


def _described(error: Exception) -> dict[str, Any]:
    """What of an error another rank needs to end by the same exit code."""
    kinds = ["MemoryError"] if is_out_of_memory(error) else [kind.__name__ for kind in type(error).__mro__]
    return {
        "kind": next((kind for kind in kinds if kind in _KINDS), type(error).__name__),
        "text": str(error),
        "signum": getattr(error, "signum", None),
    }


def _rebuilt(told: Mapping[str, Any], rank: int) -> Exception:
    if told["signum"] is not None:
        return Interrupted(told["text"], told["signum"])
    text = f"{told['text']} (rank {rank})" if rank else told["text"]
    kind = _KINDS.get(told["kind"])
    return RuntimeError(f"{told['kind']}: {text}") if kind is None else kind(text)
