"""What a training says of itself while it runs."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from seqloom.errors import ConfigError
from seqloom.jsonable import jsonable
from seqloom.registry.records import Score
from seqloom.storage import storage_errors
from seqloom.world import World


class Listener(Protocol):
    """Watches a training."""

    def stepped(self, step: int) -> None:
        """A step is done; called often, so quick."""

    def logged(self, record: dict[str, Any]) -> None:
        """A line for metrics.jsonl."""

    def evaluated(self, step: int, scores: Sequence[Score]) -> None:
        """The model has been judged."""

    def noticed(self, record: dict[str, Any]) -> None:
        """Something unusual happened: ``step``, ``event``, ``reason``, and what else there is to say."""


Tell = Callable[[int, float], None]
"""Is told, now and then, how many examples of a pass over files have been read, and what share of it."""

Watch = Callable[[], AbstractContextManager[Tell]]
"""Begins to watch a pass over files, and ends with it."""


@contextmanager
def unwatched() -> Iterator[Tell]:
    """Watches nothing."""
    yield lambda _examples, _share: None


class Sums(dict[str, Tensor]):
    """Named sums, kept on the device so that nothing waits for them."""

    def add(self, more: Mapping[str, Tensor]) -> None:
        """Adds other sums, each to that of its name."""
        for name, value in more.items():
            self[name] = self[name] + value if name in self else value


def added(several: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Named sums of several ranks in one."""
    total: dict[str, float] = {}
    for sums in several:
        for name, value in sums.items():
            total[name] = total.get(name, 0) + value
    return total


class Window:
    """What is summed between two lines of the log."""

    def __init__(self) -> None:
        self.norm: Tensor | None = None  # of the last step's gradient
        self._reset()

    def _reset(self) -> None:
        self.sums = Sums()
        self.seconds = 0.0  # of all steps
        self.waited = 0.0  # of these, in getting batches

    def close(self, world: World) -> dict[str, Any] | None:
        """Means a target since the last call, over all ranks, None where no step was made; begins anew."""
        sums = added(world.agree(lambda: {name: value.item() for name, value in self.sums.items()}))
        if not sums:
            self._reset()
            return None
        elements = sums.pop("elements")
        record = {"loss": sums.pop("total") / elements}
        record |= {name: value / elements for name, value in sums.items()}
        record["gradient_norm"] = self.norm.item() if self.norm is not None else 0.0
        record["targets_per_second"] = elements / self.seconds
        record["data_wait"] = self.waited / self.seconds
        self._reset()
        return record


def check_tensorboard() -> None:
    """Looks whether event files can be written here.

    Raises:
        ConfigError: The package that writes them is not installed.
    """
    if importlib.util.find_spec("tensorboardX") is None:
        raise ConfigError(
            "train.tensorboard: true needs the package tensorboardX, which is not installed; "
            "pip install 'seqloom[tensorboard]', or take the key out"
        )


class TensorboardLog:
    """A listener that writes TensorBoard's event files.

    Args:
        folder: Where to.
        step: The step that the training stands at; what was written past it counts no more.
    """

    def __init__(self, folder: Path, step: int) -> None:
        from tensorboardX import SummaryWriter  # noqa: PLC0415 - an extra

        self.writer = SummaryWriter(str(folder), purge_step=step + 1, flush_secs=10)

    def stepped(self, step: int) -> None:
        pass

    def logged(self, record: dict[str, Any]) -> None:
        for name, value in record.items():
            if name != "step":
                self.writer.add_scalar(f"train/{name}", value, record["step"])

    def evaluated(self, step: int, scores: Sequence[Score]) -> None:
        for score in scores:
            self.writer.add_scalar(f"{score.split}/{score.metric}", score.value, step)

    def noticed(self, record: dict[str, Any]) -> None:
        self.writer.add_text(record["event"], record["reason"], record["step"])

    def close(self) -> None:
        """Waits until all is written."""
        self.writer.close()


@contextmanager
def tensorboard_log(folder: Path, step: int, *, wanted: bool) -> Iterator[list[Listener]]:
    """The listeners that write TensorBoard's event files: one where wanted, else none."""
    logs = [TensorboardLog(folder, step)] if wanted else []
    try:
        yield [*logs]
    finally:
        for log in logs:
            log.close()


class MetricsLog:
    """A listener that writes ``metrics.jsonl``: a line a log step, an evaluation, an unusual event.

    Args:
        file: The file; lines past ``step`` are taken back, as the training goes on from there.
        step: The step that the training stands at.
    """

    def __init__(self, file: Path, step: int) -> None:
        self.file = file
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True) if file.exists() else []
        kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step]
        aside = file.with_name(f".{file.name}.new")  # else a kill here would cost all lines
        with storage_errors(file, "write"):
            aside.write_text("".join(kept), encoding="utf-8")
            aside.replace(file)

    def stepped(self, step: int) -> None:
        pass

    def logged(self, record: dict[str, Any]) -> None:
        self._write(record)

    def evaluated(self, step: int, scores: Sequence[Score]) -> None:
        self._write({"step": step, "scores": {score.metric: score.value for score in scores}})

    def noticed(self, record: dict[str, Any]) -> None:
        self._write(record)

    def _write(self, record: dict[str, Any]) -> None:
        with storage_errors(self.file, "write"), self.file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(jsonable(record), allow_nan=False) + "\n")
