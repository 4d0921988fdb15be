"""What a training says of itself while it runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from seqloom.jsonable import jsonable
from seqloom.registry.records import Score


class Listener(Protocol):
    """Watches a training."""

    def stepped(self, step: int) -> None:
        """A step is done; called often, so quick."""

    def logged(self, record: dict[str, Any]) -> None:
        """A line for metrics.jsonl."""

    def evaluated(self, step: int, scores: Sequence[Score]) -> None:
        """The model has been judged."""


class Window:
    """Sums between two lines of the log, kept on the device so that nothing waits for them."""

    def __init__(self) -> None:
        self.norm: Tensor | None = None  # of the last step's gradient
        self._reset()

    def _reset(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.seconds = 0.0

    def add(self, total: Tensor, elements: Tensor, parts: dict[str, Tensor]) -> None:
        for name, value in {"total": total, "elements": elements, **parts}.items():
            self.sums[name] = self.sums[name] + value if name in self.sums else value

    def close(self) -> dict[str, Any]:
        """Means a target since the last call, and begins anew."""
        sums = {name: value.item() for name, value in self.sums.items()}
        elements = sums.pop("elements")
        record = {"loss": sums.pop("total") / elements}
        record |= {name: value / elements for name, value in sums.items()}
        record["gradient_norm"] = self.norm.item() if self.norm is not None else 0.0
        record["targets_per_second"] = elements / self.seconds
        self._reset()
        return record


class MetricsLog:
    """A listener that writes ``metrics.jsonl``: one line a log step and one an evaluation.

    Args:
        file: The file; lines past ``step`` are taken back, as the training goes on from there.
        step: The step that the training stands at.
    """

    def __init__(self, file: Path, step: int) -> None:
        self.file = file
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True) if file.exists() else []
        kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step]
        file.write_text("".join(kept), encoding="utf-8")

    def stepped(self, step: int) -> None:
        pass

    def logged(self, record: dict[str, Any]) -> None:
        self._write(record)

    def evaluated(self, step: int, scores: Sequence[Score]) -> None:
        self._write({"step": step, "scores": {score.metric: score.value for score in scores}})

    def _write(self, record: dict[str, Any]) -> None:
        with self.file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(jsonable(record), allow_nan=False) + "\n")
