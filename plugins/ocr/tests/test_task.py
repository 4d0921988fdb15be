"""Reading lines as a task: the contract, and presets that build models."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from seqloom.batch import Padded
from seqloom.build import Builder
from seqloom.catalog import Catalog
from seqloom.jobfile import load_job
from seqloom.task import Example
from seqloom.testing import TaskContract
from seqloom.tokenizer import CharTokenizer
from seqloom_ocr.presets import JOB, PRESETS
from seqloom_ocr.task import LineReading


class TestContract(TaskContract):
    module = "seqloom_ocr"

    def build(self) -> LineReading:
        tokenizer = CharTokenizer(normalization="nfc", min_count=1)
        tokenizer.fit(["Schlange, das Symbol der Zeit"])
        return LineReading(tokenizer)

    def inputs(self, tmp_path: Path) -> dict[str, str]:
        return {"image": str(tmp_path / "line.png")}

    def targets(self) -> list[str]:
        return ["das Symbol", "Schlange, der"]


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_make_models_of_one_vector_for_four_columns(preset: str, tmp_path: Path) -> None:
    catalog = Catalog.from_environment()
    file = tmp_path / "job.yaml"
    file.write_text(JOB.replace("preset: ctc", f"preset: {preset}"), encoding="utf-8")
    config = load_job(file, catalog).config
    assert config.evaluate.best == "cer"
    builder = Builder(config, catalog)
    assert not builder.goal().higher_is_better
    kit = builder.kit(builder.fit_tokenizers([Example(0, {"image": "1.png"}, "ab", ["ab"])]))
    model = builder.model(kit).eval()
    line = torch.zeros(100, 32, dtype=torch.uint8)
    batch = torch.stack([kit.modalities["image"].augment(line, torch.Generator().manual_seed(1))] * 2)
    lengths = torch.tensor([batch.shape[1]] * 2)
    memory = model.encode({"image": Padded(batch, lengths)})
    assert memory.lengths.tolist() == [-(-batch.shape[1] // 4)] * 2
    outputs = model.head.predict(memory, config.decode)
    assert [len(found) for found in outputs] == [1, 1]
