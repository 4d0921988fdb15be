"""Positions of every preset's model know their time, to the end of a recording and no further."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from seqloom.batch import Batch, Padded
from seqloom.build import Builder
from seqloom.catalog import Catalog
from seqloom.jobfile import load_job
from seqloom.task import Example
from seqloom_speech.presets import JOB, PRESETS

FRAMES = (101, 64, 3)  # of 10 ms
STEP_S = 0.04  # by subsampling alone, or by a pyramid as well


@pytest.mark.parametrize("preset", PRESETS)
def test_positions_know_their_time(preset: str, tmp_path: Path) -> None:
    catalog = Catalog.from_environment()
    (tmp_path / "job.yaml").write_text(JOB.replace("preset: conformer", f"preset: {preset}"))
    builder = Builder(load_job(tmp_path / "job.yaml", catalog).config, catalog)
    kit = builder.kit(builder.fit_tokenizers([Example(0, {"speech": "a.wav"}, "a b", ["a b"])]))
    features = Padded(torch.randn(len(FRAMES), max(FRAMES), 80), torch.tensor(FRAMES))
    decode = builder.config.decode.model_copy(
        update={"emissions": True, "beam": 1, "max_length_factor": 0.1}
    )
    found = builder.model(kit).eval().predict(Batch({"speech": features}, None, [], []), decode)
    for (best, *_), frames in zip(found, FRAMES, strict=True):
        log_probs, edges_s = best.emissions
        assert len(log_probs) == len(edges_s) - 1
        assert edges_s[-1] == frames / 100
        assert edges_s[:-1] == pytest.approx([STEP_S * position for position in range(len(log_probs))])
        assert edges_s[-1] - edges_s[-2] <= STEP_S + 1e-9
        (kept,) = kit.task.interpret([best])
        assert kept.emissions is None
        assert all(0 <= word.start_s < word.end_s <= frames / 100 for word in kept.details["words"])
