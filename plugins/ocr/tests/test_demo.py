"""The demo's lines: what is drawn is what is written, and no text of the test set is learned."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seqloom.catalog import Catalog
from seqloom.hooks import DemoRequest
from seqloom.jobfile import load_job
from seqloom_ocr import demo
from seqloom_ocr.drawing import drawn, line_of_text

COUNTS = {"train": 30, "valid": 4, "test": 8}


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> demo.Demo:
    monkeypatch.setattr(demo, "COUNTS", COUNTS)
    return demo.make_demo(DemoRequest(folder=str(tmp_path), seed=1))


def rows(folder: Path, split: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (folder / f"{split}.jsonl").read_text().splitlines()]


def test_it_writes_pictures_and_texts_without_leaks(made: demo.Demo, tmp_path: Path) -> None:
    texts = {split: {row["text"] for row in rows(tmp_path, split)} for split in COUNTS}
    assert {split: len(found) for split, found in texts.items()} == COUNTS  # each once
    assert not texts["test"] & (texts["train"] | texts["valid"])
    assert made.facts["test lines whose text occurs in training"] == "0"
    for split in COUNTS:
        for row in rows(tmp_path, split):
            with Image.open(tmp_path / row["image"]) as picture:
                assert picture.mode == "L"
    assert [Path(image).is_file() for image, _ in made.unseen] == [True] * 5
    config = load_job(Path(made.job), Catalog.from_environment()).config
    assert (config.name, config.model.head.name) == (made.name, "ctc")


def test_a_seed_makes_the_same_lines(made: demo.Demo, tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.mkdir()
    demo.make_demo(DemoRequest(folder=str(again), seed=1))
    files = sorted(path.relative_to(again) for path in again.rglob("*.*"))
    assert len(files) == sum(COUNTS.values()) + len(COUNTS) + 1
    for file in files:
        assert (again / file).read_bytes() == (tmp_path / file).read_bytes()


def test_a_line_is_as_wide_as_its_text_and_has_ink() -> None:
    random = np.random.default_rng(1)
    for _ in range(20):
        text = line_of_text(random)
        pixels = np.asarray(drawn(text, random)).astype(float)
        assert 2 <= len(text.split()) <= 4
        assert 5 < pixels.shape[1] / len(text) < 22  # columns a character
        assert np.percentile(pixels, 95) - np.percentile(pixels, 5) > 60
