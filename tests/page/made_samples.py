"""Sample predictions as trainings leave them, made up, with the pictures and recordings that they name."""

from __future__ import annotations

import json
import math
import struct
import wave
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SENTENCES = (
    ("ein kleiner hund läuft über das grüne feld .", "a small dog runs across the green field .", "a small dog is running over the green field ."),
    ("zwei frauen unterhalten sich auf einer bank .", "two women talk on a bench .", "two women are talking on a bench ."),
    ("ein mann spielt am abend gitarre .", "a man plays guitar in the evening .", "a man plays the guitar at night ."),
)  # fmt: skip
CAPTIONS = (
    ("a red sun over a blue hill", "a sun sets over the hill"),
    ("a yellow boat on the sea", "a boat on the water"),
)
SAID = (("enter forty three", "enter forty three"), ("go to the next page", "go to the next pace"))


def write_samples(folder: Path, task: str, step: int) -> None:
    """``samples/STEP.jsonl``, with the pictures and recordings that it names."""
    made = {"translation": _sentences, "captioning": _pictures, "speech": _recordings}[task](folder)
    place = folder / "samples"
    place.mkdir(exist_ok=True)
    text = "".join(json.dumps(sample, ensure_ascii=False) + "\n" for sample in made)
    (place / f"{step}.jsonl").write_text(text, encoding="utf-8")


def _sentences(folder: Path) -> list[dict[str, Any]]:
    return [
        sample(number, {"kind": "text", "text": source, "file": None}, reference, found, source.split())
        for number, (source, reference, found) in enumerate(SENTENCES)
    ]


def _pictures(folder: Path) -> list[dict[str, Any]]:
    made = []
    for number, (reference, found) in enumerate(CAPTIONS):
        file = folder.parent.parent / "data" / f"{number}.png"
        if not file.exists():
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(picture(number))
        one = sample(
            number, {"kind": "image", "text": None, "file": str(file)}, reference, found, 49 * ["·"]
        )
        weights = [
            _spot(2 + 3 * math.sin(row), 3 + 2 * math.cos(1.7 * row)) for row in range(len(one["tokens"]))
        ]
        made.append({**one, "source_tokens": None, "attention": weights, "grid": [7, 7]})
    return made


def _spot(row: float, column: float) -> list[float]:
    weights = [math.exp(-((y - row) ** 2 + (x - column) ** 2) / 3) for y in range(7) for x in range(7)]
    return [round(weight / sum(weights), 5) for weight in weights]


def _recordings(folder: Path) -> list[dict[str, Any]]:
    made = []
    for number, (reference, found) in enumerate(SAID):
        file = folder.parent.parent / "data" / f"{number}.wav"
        if not file.exists():
            file.parent.mkdir(exist_ok=True)
            write_sound(file, 330 + 110 * number)
        one = sample(
            number, {"kind": "audio", "text": None, "file": str(file)}, reference, found, 180 * ["·"]
        )
        made.append({**one, "source_tokens": None})
    return made


def sample(
    number: int, given: Mapping[str, Any], reference: str, found: str, sources: Sequence[str]
) -> dict[str, Any]:
    """An example, whose tokens look about where they stand."""
    tokens, width = found.split(), len(sources)
    rows = []
    for row in range(len(tokens)):
        middle = (row + 0.5) / len(tokens) * width
        weights = [
            math.exp(-((column + 0.5 - middle) ** 2) / (0.02 * width**2 + 0.4)) + 0.01
            for column in range(width)
        ]
        total = sum(weights)
        rows.append([round(weight / total, 4) for weight in weights])
    return {
        "id": 3 * number,
        "inputs": {"source": dict(given)},
        "reference": reference,
        "prediction": found,
        "score": round(-0.31 - 0.2 * number, 3),
        "tokens": tokens,
        "source_tokens": list(sources),
        "attention": rows,
    }


def picture(number: int, width: int = 420, height: int = 280) -> bytes:
    """A PNG of a sun over a hill."""
    rows = []
    for y in range(height):
        row = bytearray(b"\0")
        for x in range(width):
            sky = y / height
            colour = (
                (250 - 60 * sky, 214 - 70 * sky, 170 + 50 * sky)
                if number == 0
                else (190 - 50 * sky, 220 - 30 * sky, 240)
            )
            if (x - 300 + 160 * number) ** 2 + (y - 90) ** 2 < 38**2:
                colour = (214, 84, 52) if number == 0 else (244, 200, 76)
            if y > 185 + 34 * math.sin(x / 70 + number):
                colour = (58, 104 + 30 * (1 - sky), 140) if number == 0 else (44, 110, 128)
            row += bytes(round(channel) for channel in colour)
        rows.append(bytes(row))

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"".join(rows), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def write_sound(file: Path, hertz: float, seconds: float = 1.5) -> None:
    """A tone as 16-bit samples."""
    with wave.open(str(file), "wb") as stream:
        stream.setnchannels(1)
        stream.setsampwidth(2)
        stream.setframerate(8000)
        count = round(8000 * seconds)
        stream.writeframes(
            b"".join(
                struct.pack("<h", round(9000 * math.sin(2 * math.pi * hertz * at / 8000)))
                for at in range(count)
            )
        )
