"""What a person sees of work that takes long: bars on a terminal, lines now and then anywhere else."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from seqloom.cli.output import visible

if TYPE_CHECKING:
    from seqloom.data.manifest import Located
    from seqloom.progress import Tell
    from seqloom.registry.records import Score
    from seqloom.task import Prediction

LINE_EVERY: Final = 100_000  # examples between two lines

LONGEST_NAME: Final = 40

console = Console(stderr=True, highlight=False)
"""For people; data goes to stdout."""


def say(line: str) -> None:
    """Tells a person a line."""
    console.print(visible(line, lines=True), markup=False, soft_wrap=True)


class Bars:
    """The bars of one command, shown while ``progress`` is entered."""

    def __init__(self) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[done]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[facts]}"),
        )
        self.progress = Progress(  # which would send stdout, which is data, where it writes itself
            *columns, console=console, disable=not console.is_terminal, redirect_stdout=False
        )

    @contextmanager
    def watch(self, doing: str) -> Iterator[Tell]:
        """Shows how far a pass over files has come, how fast, and what share of their bytes is read."""
        started = time.monotonic()
        bar = self.progress.add_task(doing, total=1.0, done="", facts="")

        def tell(examples: int, share: float) -> None:
            rate = f"{examples / (time.monotonic() - started):,.0f}/s"
            self.progress.update(bar, completed=share, done=f"{examples:,}", facts=rate)
            if self.progress.disable and examples % LINE_EVERY == 0:
                say(f"{doing}: {examples:,} examples, {share:.0%} of the files, {rate}")

        try:
            yield tell
        finally:
            self.progress.remove_task(bar)


class PieceBars:
    """A bar for each input of several pieces, from its first piece to its last; to be entered."""

    def __init__(self) -> None:
        self.progress = Bars().progress
        self._bars: dict[int, TaskID] = {}

    def __enter__(self) -> PieceBars:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.progress.stop()
        if self._bars and kind is not None:
            say("what is done is kept: the same command goes on from there")

    def __call__(self, located: Located, done: int, pieces: int) -> None:
        """Is told as pieces of an input are done, and how many were before."""
        number = located.example.id
        if number not in self._bars:
            name = _name_of(located)
            if done:
                say(f"{name}: going on from piece {min(done + 1, pieces)} of {pieces}")
            self.progress.start()
            self._bars[number] = self.progress.add_task(escape(name), total=pieces, done="", facts="")
        self.progress.update(self._bars[number], completed=done, done=f"{done}/{pieces}")
        if done == pieces:
            self.progress.remove_task(self._bars.pop(number))

    def aside(self, predictions: Iterable[Prediction]) -> Iterator[Prediction]:
        """The same predictions; while somebody has one, the terminal is theirs."""
        for prediction in predictions:
            self.progress.stop()
            yield prediction
            if self._bars:
                self.progress.start()


def _name_of(located: Located) -> str:
    """What a person calls an input: the file's name, or how the text begins."""
    name = " ".join(Path(next(iter(located.example.inputs.values()))).name.split())
    name = visible(name)
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


class TrainingBar:
    """A listener: a bar from the first step on, and lines for what a training is found to be."""

    def __init__(self, bars: Bars, steps: int) -> None:
        self.progress = bars.progress
        self.steps = steps
        self.task = self.progress.add_task("training", total=steps, visible=False, done="", facts="")

    def stepped(self, step: int) -> None:
        self.progress.update(self.task, completed=step, done=f"{step}/{self.steps}", visible=True)

    def logged(self, record: dict[str, Any]) -> None:
        facts = f"loss {record['loss']:.3f}, {record['targets_per_second']:,.0f} targets/s"
        self.progress.update(self.task, facts=facts)

    def noticed(self, record: dict[str, Any]) -> None:
        say(f"step {record['step']} was {record['event']}: {record['reason']}")

    def evaluated(self, step: int, scores: Sequence[Score]) -> None:
        say(f"step {step}: " + ", ".join(f"{score.metric} {score.value:.2f}" for score in scores))
