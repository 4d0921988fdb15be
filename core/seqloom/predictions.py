"""What became of inputs as JSON lines: what verbs print, and what runs keep."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from seqloom.jsonable import jsonable
from seqloom.storage import writing_aside
from seqloom.task import Prediction, Task

FILE: Final = "predictions.jsonl"
"""Of a run's folder."""


def json_line(prediction: Prediction, task: Task) -> str:
    """An input with all its outputs and their scores: an object of JSON, and a line's end."""
    example = prediction.example
    outputs = [task.render(found, example) for found in prediction.hypotheses]
    record = {"id": example.id, **example.inputs, "outputs": outputs}
    return json.dumps(jsonable(record), ensure_ascii=False) + "\n"


Write = Callable[[Iterable[Prediction]], Iterable[Path]]
"""Writes predictions as they come, and gives the files that it wrote."""


def no_files(predictions: Iterable[Prediction]) -> Iterable[Path]:  # noqa: ARG001
    """Writes nothing."""
    return ()


def keep_all(predictions: Sequence[Prediction], task: Task, folder: Path) -> Iterable[Path]:
    """Keeps predictions in a run's folder, where there are any; gives the file.

    Raises:
        StorageError: It cannot be written.
    """
    if not predictions:
        return []
    file = folder / FILE
    for _ in kept(predictions, task, file):
        pass
    return [file]


def kept(predictions: Iterable[Prediction], task: Task, file: Path) -> Iterator[Prediction]:
    """The predictions as they come; ``file`` has them all once there are no more.

    Raises:
        StorageError: The file cannot be written.
    """
    with writing_aside(file) as stream:
        for prediction in predictions:
            stream.write(json_line(prediction, task))
            yield prediction
