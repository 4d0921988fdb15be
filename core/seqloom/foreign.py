"""What do files say that come from elsewhere, and can it be so?

Nothing here is believed before it has been looked at: names of files, shapes, sizes and texts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, RootModel, ValidationError

from seqloom.errors import CorruptError
from seqloom.registry.records import Score
from seqloom.storage import MANIFEST, storage_errors

ReadT = TypeVar("ReadT", bound=BaseModel)
WEIGHTS: Final = "model.safetensors"
CONFIG: Final = "config.json"
METRICS: Final = "metrics.json"
LARGEST_JSON: Final = 1 << 26
"""Bytes of a file that is read whole; what is known of a model with a thousand scores has 200,000."""
LONGEST_NAME: Final = 1000  # bytes of UTF-8, with all folders
LONGEST_PART: Final = 255  # bytes: what file systems take


Whole = Annotated[int, Field(ge=-(2**63), lt=2**63)]
"""A number that databases take."""
Moment = Annotated[
    AwareDatetime,
    Field(strict=False, ge=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(9000, 1, 1, tzinfo=UTC)),
]
"""A moment that they take in any zone."""


class _Said(BaseModel):
    """A part of a file; what else that holds is not looked at."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class SaidNote(_Said):
    """A note."""

    text: str
    at: Moment


class SaidModel(_Said):
    """The model, as the registry that it comes from had it."""

    uri: str
    name: str
    sha256: str
    aliases: list[str] = []
    tags: dict[str, str] = {}
    notes: list[SaidNote] = []


class SaidData(_Said):
    """A file of data that the model's training read."""

    path: str
    sha256: str
    split: str = ""
    bytes: Whole | None = None
    rows: Whole | None = None


class SaidRun(_Said):
    """The run that made the model."""

    id: str
    data: list[SaidData] = []


class Head(_Said):
    """What an archive says of itself.

    Attributes:
        files: The size of each of the model's files.
        model: The model.
        run: What made it, None where nobody knew.
    """

    format: Literal["seqloom-model"]
    version: Literal[1]
    files: dict[str, Annotated[int, Field(ge=0)]]
    model: SaidModel
    run: SaidRun | None


# What a model's folder says ----------------------------------------------------------------------------


class _ReadTask(_Said):
    name: str


class _ReadTrain(_Said):
    seed: Whole


class _ReadJob(_Said):
    name: str
    task: _ReadTask
    train: _ReadTrain


class _ReadConfig(_Said):
    job: _ReadJob
    versions: dict[str, str]


class _ReadScore(_Said):
    metric: str
    value: float | None
    split: str
    step: Whole
    signature: str
    parts: dict[str, Whole] = {}


class _ReadScores(RootModel[list[_ReadScore]]):
    """``metrics.json``."""


@dataclass(frozen=True)
class Found:
    """What a model's folder says of the model."""

    name: str
    task: str
    seed: int
    job: Mapping[str, Any]
    versions: Mapping[str, str]
    scores: tuple[Score, ...]


def read_model(folder: Path) -> Found:
    """What a model's folder says of the model.

    Raises:
        CorruptError: It is no model's folder, or not as Seqloom writes it.
    """
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise CorruptError(f"{folder}: there is no {name}: this is no model's folder")
    saved, config = _read(folder / CONFIG, _ReadConfig)
    scores: tuple[Score, ...] = ()
    if (folder / METRICS).is_file():
        _, listed = _read(folder / METRICS, _ReadScores)
        scores = tuple(
            Score(**{**dict(one), "value": math.nan if one.value is None else one.value})
            for one in listed.root
        )
    job = config.job
    return Found(job.name, job.task.name, job.train.seed, saved["job"], config.versions, scores)


def _read(file: Path, model: type[ReadT]) -> tuple[Any, ReadT]:
    check_size(file)
    with storage_errors(file, "read"):
        text = file.read_bytes()
    try:
        value = clean_json(text)
        return value, model.model_validate(value)
    except ValidationError as error:
        raise CorruptError(f"{file}: this is not as Seqloom writes it: {what_is_wrong(error)}") from error
    except ValueError as error:
        raise CorruptError(f"{file}: this is not JSON as it should be: {error}") from error


# What a file may be ------------------------------------------------------------------------------------


def check_size(file: Path) -> None:
    """Looks whether a file is small enough to be read whole.

    Raises:
        CorruptError: It is not.
    """
    if file.is_file() and file.stat().st_size > LARGEST_JSON:
        raise CorruptError(f"{file}: it is too large for what it should be")


def clean_json(text: bytes) -> Any:
    """What a JSON file says.

    Raises:
        ValueError: It is not JSON, or a text in it has NUL or half of a sign, which no database takes.
    """
    try:
        value = json.loads(text)
        whole = json.dumps(value, ensure_ascii=False)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    whole.encode()
    if "\\u0000" in whole.replace("\\\\", ""):
        raise ValueError("a text in it has a NUL")
    return value


def check_names(names: Iterable[str], place: object) -> None:
    """Looks whether files can be called so in a model's folder.

    Raises:
        CorruptError: A name is absolute, leads out of the folder, or is no name of a file.
    """
    names = set(names)
    for name in names:
        parts = name.split("/")
        is_name = name.isprintable() and "\\" not in name and len(name.encode()) <= LONGEST_NAME
        if not is_name or any(
            part in {"", ".", ".."} or len(part.encode()) > LONGEST_PART for part in parts
        ):
            raise CorruptError(f"{place}: {name!r} is no name for a file in a model's folder")
    if MANIFEST not in names:
        raise CorruptError(f"{place}: it has no {MANIFEST}")


def what_is_wrong(error: ValidationError) -> str:
    """The first thing that is not as it should be: ``files.config.json: Input should be …``."""
    first = error.errors()[0]
    return ": ".join([".".join(map(str, first["loc"])), first["msg"]]).removeprefix(": ")
