"""In which form outputs are written, and where: to stdout, into a file, or into a file for each input."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING, Any, Final, TextIO

from seqloom.errors import StorageError, UsageError
from seqloom.hooks import FormatSpec, TaskSpec

if TYPE_CHECKING:
    from seqloom.data.manifest import Located
    from seqloom.data.splits import Slot
    from seqloom.task import Prediction, Task

FORMATS: Final = {
    "text": FormatSpec(summary="a line an output"),
    "jsonl": FormatSpec(summary="JSON lines with all outputs and their scores"),
}
"""Those of every task."""

ENDINGS: Final = {"text": "txt"}
"""What files of a format end in, where that is not its name."""


def formats_of(spec: TaskSpec[Any]) -> Mapping[str, FormatSpec]:
    """The formats that a task's outputs may be written in, by name."""
    return {**FORMATS, **spec.formats}


def format_choice(spec: TaskSpec[Any]) -> tuple[type[StrEnum], str]:
    """The formats of a task as what a command line may be told, and its help."""
    formats = formats_of(spec)
    told = "; ".join(f"{name}: {form.summary}" for name, form in formats.items())
    return StrEnum("Format", {name: name for name in formats}), f"{told}."  # type: ignore[return-value]


@dataclass(frozen=True)
class Destination:
    """Where outputs go, and in which form.

    Attributes:
        file: The file that has them all; None for stdout, or where there is a folder.
        folder: Where each input has a file of its own; None where it has not.
        name: The format's name.
        form: The format.
    """

    file: Path | None
    folder: Path | None
    name: str
    form: FormatSpec

    @classmethod
    def of(cls, output: str | None, name: str, spec: TaskSpec[Any]) -> Destination:
        """That which a command line names; what ends in a slash is a folder, there or not."""
        place = None if output is None else Path(output)
        is_folder = place is not None and (str(output).endswith("/") or place.is_dir())
        file, folder = (None, place) if is_folder else (place, None)
        return cls(file, folder, name, formats_of(spec)[name])

    def admit(self, inputs: Iterable[Located], slots: Mapping[str, Slot]) -> Iterable[Located]:
        """The inputs; all are looked at first where their outputs might not be written.

        Raises:
            UsageError: There are several, and the format is about one; or two would be written to one file.
        """
        if self.folder is not None:
            inputs = list(inputs)
            self._check_files(self.folder, inputs, slots)
        elif self.form.one_input:
            inputs = list(inputs)
            if len(inputs) > 1:
                raise UsageError(
                    f"a file of {self.name} is about one input, and here are {len(inputs)}: "
                    "name a folder, as in --output folder/, for a file of each"
                )
        return inputs

    @property
    def keeps(self) -> bool:
        """Whether what is written is in files afterwards; a pipe or a device keeps nothing."""
        return self.folder is not None or (self.file is not None and not _is_stream(self.file))

    def write(self, predictions: Iterable[Prediction], task: Task, slots: Mapping[str, Slot]) -> list[Path]:
        """Writes outputs as they come.

        Returns:
            The files that have them now; none of a pipe or a device.

        Raises:
            StorageError: Something cannot be written.
        """
        if self.folder is None:
            pour(rendered(predictions, task, self.name), self.file)
            return [self.file] if self.file is not None and self.keeps else []
        with _storage_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        files = []
        for prediction in predictions:
            files.append(self.folder / self._name_of(prediction.example.inputs, slots))
            pour(rendered([prediction], task, self.name), files[-1])
        return files

    def _check_files(self, folder: Path, inputs: Iterable[Located], slots: Mapping[str, Slot]) -> None:
        """Looks whether each input has a file of its own."""
        if not all(kind.files for kind in slots.values()):
            raise UsageError(f"{folder} is a folder, and texts have no names for files in it; name a file")
        names = Counter(self._name_of(located.example.inputs, slots) for located in inputs)
        for name, count in names.items():
            if count > 1:
                raise UsageError(f"{count} inputs would be written to {folder / name}; take them apart")

    def _name_of(self, inputs: Mapping[str, str], slots: Mapping[str, Slot]) -> str:
        """``talk.srt`` for ``talks/talk.flac``, ``talk#t=12,17.srt`` for a part of it."""
        from seqloom.data.splits import fragment_of  # noqa: PLC0415

        ((slot, kind),) = slots.items()  # a command line gives no more
        fragment = fragment_of(inputs[slot], kind)
        stem = Path(inputs[slot].removesuffix(fragment)).stem
        return f"{stem}{fragment}.{ENDINGS.get(self.name, self.name)}"


# Forms -------------------------------------------------------------------------------------------------


def rendered(predictions: Iterable[Prediction], task: Task, name: str) -> Iterator[str]:
    """Outputs in a format, bit by bit, as they come."""
    match name:
        case "text":
            return (line for prediction in predictions for line in _text_lines(prediction, task))
        case "jsonl":
            return _json_lines(predictions, task)
        case _:
            return task.write(name, predictions)


def _text_lines(prediction: Prediction, task: Task) -> Iterator[str]:
    several = len(prediction.hypotheses) > 1
    for found in prediction.hypotheses:
        text = task.text(found).replace("\n", " ")  # a line an output, whatever the output
        head = f"{prediction.example.id + 1}\t{found.score:.4f}\t" if several else ""
        yield f"{head}{text}\n"


def _json_lines(predictions: Iterable[Prediction], task: Task) -> Iterator[str]:
    from seqloom.predictions import json_line  # noqa: PLC0415 - imports torch

    return (json_line(prediction, task) for prediction in predictions)


# Places ------------------------------------------------------------------------------------------------


def pour(parts: Iterable[str], place: Path | None) -> None:
    """Writes texts as they come.

    Args:
        parts: The texts.
        place: A file, which is there whole or not at all; or a pipe or a device, which gets them as they
            come; or None, for stdout.

    Raises:
        StorageError: It cannot be written.
    """
    with _opened(place) as stream:
        for part in parts:
            stream.write(part)
            stream.flush()


@contextmanager
def _opened(place: Path | None) -> Iterator[TextIO]:
    if place is None:
        yield sys.stdout
        return
    with _storage_errors(place), _streamed(place) if _is_stream(place) else _aside(place) as stream:
        yield stream


def _is_stream(place: Path) -> bool:
    """Whether it is a pipe or a device."""
    return place.exists() and not place.is_file()


@contextmanager
def _storage_errors(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"{place}: cannot write it: {error.strerror}") from error


@contextmanager
def _streamed(output: Path) -> Iterator[TextIO]:
    with output.open("w", encoding="utf-8") as stream:
        yield stream


@contextmanager
def _aside(output: Path) -> Iterator[TextIO]:
    """A new file beside the one that a link leads to, in its place once it is whole."""
    target = output.resolve()
    descriptor, name = mkstemp(dir=target.parent, prefix=f".{target.name}.")
    aside = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            yield stream
        aside.chmod(target.stat().st_mode & 0o777 if target.exists() else _new_file_mode())
        aside.rename(target)
    finally:
        aside.unlink(missing_ok=True)


def _new_file_mode() -> int:
    """The permissions that this process gives to new files; mkstemp gives fewer."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
