"""Sample predictions of a run: files in its folder, a line an example.

``samples/STEP.jsonl`` of a run's folder has, a line each::

    {"id": 3, "inputs": {"source": {"kind": "text", "text": "ein Hund", "file": null}},
     "reference": "a dog", "prediction": "a dog", "score": -0.2, "tokens": ["a", "dog"],
     "source_tokens": ["ein", "Hund"], "attention": [[0.9, 0.1], [0.2, 0.8]]}
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from seqloom.page.place import within

FOLDER: Final = "samples"
STEP: Final = re.compile(r"(0|[1-9][0-9]{0,15})\.jsonl")
MOST_BYTES: Final = 1 << 25
MOST: Final = 200  # examples of a step
MOST_ROWS: Final = 128  # of attention that is drawn
MOST_COLUMNS: Final = 512
LONGEST: Final = 20_000  # characters of a text
KINDS: Final = ("text", "image", "audio")


@dataclass(frozen=True)
class Input:
    """What an example was given in one slot.

    Attributes:
        slot: ``source``.
        kind: ``text``, ``image`` or ``audio``.
        text: What it says; None where it is no text.
        file: The picture or the recording; None where there is none.
        start_s: Where a recording begins in its file, in seconds; None for the whole file.
        end_s: Where it ends.
    """

    slot: str
    kind: str
    text: str | None
    file: Path | None
    start_s: float | None = None
    end_s: float | None = None


@dataclass(frozen=True)
class Sample:
    """An example and what was predicted of it.

    Attributes:
        id: Its position in its split.
        inputs: What it was given.
        prediction: What was found.
        reference: What should be; None where nobody says.
        score: Of the prediction; None where there is none.
        tokens: Of the prediction: the rows of attention.
        source_tokens: The columns of attention; None where positions are no tokens.
        attention: A row for each token, a column for each position of the source; None for none.
        grid: Rows and columns of a picture that positions of the source stand for; None for none.
    """

    id: int
    inputs: Sequence[Input]
    prediction: str
    reference: str | None = None
    score: float | None = None
    tokens: Sequence[str] = field(default=())
    source_tokens: Sequence[str] | None = None
    attention: Sequence[Sequence[float]] | None = None
    grid: tuple[int, int] | None = None

    @property
    def heat(self) -> str:
        """Attention as ``heat.js`` reads it: JSON, with a byte for each weight, 255 for the greatest."""
        rows = [row[:MOST_COLUMNS] for row in (self.attention or ())[:MOST_ROWS]]
        most = max((weight for row in rows for weight in row), default=0.0)
        scale = 255 / most if most > 0 else 0.0
        weights = bytes(round(scale * max(0.0, weight)) for row in rows for weight in row)
        columns = len(rows[0]) if rows else 0
        return json.dumps(
            {
                "rows": self.tokens[: len(rows)],
                "columns": None if self.source_tokens is None else self.source_tokens[:columns],
                "count": columns,
                "grid": self.grid,
                "most": float(f"{most:.4g}"),
                "weights": base64.b64encode(weights).decode(),
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )


def sample_steps(folder: Path) -> list[int]:
    """After how many steps samples were taken, ascending."""
    place = folder / FOLDER
    if not place.is_dir():
        return []
    return sorted(int(found[1]) for file in place.iterdir() if (found := STEP.fullmatch(file.name)))


def read_samples(folder: Path, step: int) -> tuple[list[Sample], int]:
    """The samples of a step, and how many lines are none.

    Returns:
        Nothing and 0 where there is no such file.
    """
    file = within(folder, FOLDER, f"{step}.jsonl")
    if file is None or not file.is_relative_to(folder / FOLDER):
        return [], 0
    with file.open("rb") as stream:
        lines = stream.read(MOST_BYTES).split(b"\n")[:MOST]
    samples, unread = [], 0
    for line in filter(None, lines):
        try:
            samples.append(_sample(json.loads(line)))
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            unread += 1
    return samples, unread


def _sample(record: Mapping[str, Any]) -> Sample:
    tokens = [str(token) for token in record.get("tokens") or ()]
    sources = record.get("source_tokens")
    attention = _matrix(record.get("attention"), len(tokens))
    if attention is not None and sources is not None and len(sources) != len(attention[0]):
        sources = None
    score = record.get("score")
    return Sample(
        id=int(record["id"]),
        inputs=[_input(slot, said) for slot, said in record["inputs"].items()],
        prediction=_text(record["prediction"]) or "",
        reference=_text(record.get("reference")),
        score=float(score) if isinstance(score, int | float) and math.isfinite(score) else None,
        tokens=tokens,
        source_tokens=None if sources is None else [str(token) for token in sources],
        attention=attention,
        grid=_grid(record.get("grid"), attention),
    )


def _input(slot: str, said: Mapping[str, Any]) -> Input:
    kind, file = said["kind"], said.get("file")
    if kind not in KINDS:
        raise ValueError(kind)
    return Input(
        slot=slot,
        kind=kind,
        text=_text(said.get("text")),
        file=Path(file)
        if isinstance(file, str) and "\0" not in file and Path(file).is_absolute()
        else None,
        start_s=_seconds(said.get("start_s")),
        end_s=_seconds(said.get("end_s")),
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)[:LONGEST]


def _seconds(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 <= value < 1e7 else None


def _matrix(value: Any, rows: int) -> list[list[float]] | None:
    """Weights, a row a token; None where they are not that."""
    if not isinstance(value, list) or not value or len(value) != rows:
        return None
    found = [[float(weight) for weight in row] for row in value]
    widths = {len(row) for row in found}
    is_sound = len(widths) == 1 and widths != {0} and all(map(math.isfinite, (w for r in found for w in r)))
    return found if is_sound else None


def _grid(value: Any, attention: Sequence[Sequence[float]] | None) -> tuple[int, int] | None:
    match value:
        case [int(rows), int(columns)] if attention is not None and rows * columns == len(attention[0]):
            return rows, columns
    return None
