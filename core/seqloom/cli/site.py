"""What commands that run jobs share: the catalog, the registry, signals and progress."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from seqloom.cli.bars import Bars, TrainingBar, say
from seqloom.cli.output import State
from seqloom.errors import Interrupted
from seqloom.world import World

if TYPE_CHECKING:
    from seqloom.site import Site


def say_nothing(line: str) -> None:
    """Tells nobody: another process speaks."""


class StopRequest:
    """Remembers the first SIGINT or SIGTERM; a second one ends the program at once.

    Args:
        say: Tells a person of it.
    """

    def __init__(self, say: Callable[[str], None] = say) -> None:
        self.say = say
        self.signum: int | None = None
        self.is_waiting = True

    def __call__(self) -> int | None:
        return self.signum

    def handle(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if self.signum is not None:
            raise KeyboardInterrupt
        self.signum = signum
        if not self.is_waiting:
            raise _nothing_to_save(signum)
        self.say("stopping after this step; its checkpoint will be saved (again to stop at once)")

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """While the block runs, a signal ends it wherever it is; one that came before ends it now."""
        if self.signum is not None:
            raise _nothing_to_save(self.signum)
        self.is_waiting = False
        try:
            yield
        finally:
            self.is_waiting = True

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Listens while the block runs."""
        before = {number: signal.signal(number, self.handle) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _nothing_to_save(signum: int) -> Interrupted:
    return Interrupted("stopped while the training was made ready; there was nothing to save", signum)


@contextmanager
def open_site(state: State, **fields: Any) -> Iterator[Site]:
    """The place where this command's jobs run."""
    from seqloom.catalog import Catalog  # noqa: PLC0415
    from seqloom.registry.store import Registry, runs_folder  # noqa: PLC0415
    from seqloom.site import Site  # noqa: PLC0415 - imports torch

    catalog = fields.pop("catalog", None) or Catalog.from_environment()
    with Registry(state.registry) as registry:
        yield Site(catalog, registry, runs_folder(), **({"say": say} | fields))


@contextmanager
def open_training_site(state: State, steps: int, **fields: Any) -> Iterator[Site]:
    """Like :func:`open_site`, with bars of progress, and signals that end the training well."""
    bars, stop = Bars(), StopRequest()
    watching = {"watch": bars.watch, "listeners": [TrainingBar(bars, steps)]}
    with (
        stop.installed(),
        bars.progress,
        open_site(state, stop=stop, at_once=stop.at_once, **watching, **fields) as site,
    ):
        yield site


@contextmanager
def open_following_site(state: State, world: World, workers: int | None) -> Iterator[Site]:
    """The place of another rank than the first: it says nothing, and heeds signals as that does."""
    stop = StopRequest(say_nothing)
    heeding = {"stop": stop, "at_once": stop.at_once}
    with (
        stop.installed(),
        open_site(state, say=say_nothing, world=world, workers=workers, **heeding) as site,
    ):
        yield site


@contextmanager
def open_world() -> Iterator[World]:
    """The processes that a launcher started to train together; one alone where there is no launcher."""
    world = World.from_environment()
    try:
        with world:
            yield world
    finally:
        if (
            world.size > 1
        ):  # when one rank has ended, a launcher ends the others; these have ended well by now
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
