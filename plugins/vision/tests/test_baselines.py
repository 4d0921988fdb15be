"""The nearest picture is the one that looks most alike."""

from __future__ import annotations

from pathlib import Path

from samples import encoded, picture

from seqloom.baselines import baseline_answers
from seqloom.data.dataset import Dataset
from seqloom.data.features import FeatureReader
from seqloom.data.manifest import Located
from seqloom.task import Example
from seqloom_vision.build import build
from seqloom_vision.options import ImageOptions


def located(files: list[str]) -> list[Located]:
    return [Located(Example(id_, {"image": file}, file, [file])) for id_, file in enumerate(files)]


def test_a_picture_is_answered_by_its_like(tmp_path: Path) -> None:
    known, asked = ([str(tmp_path / f"{kind}{n}") for n in range(5)] for kind in ("known", "asked"))
    for number in range(5):
        Path(known[number]).write_bytes(encoded(picture(seed=number), "PNG"))
        Path(asked[number]).write_bytes(encoded(picture(seed=number), "JPEG", quality=40))
    modalities = {"image": build(ImageOptions.model_validate({"size": 16, "augment": {"crop": 0.5}}))}
    found = baseline_answers(
        ["nearest"],
        Dataset.load(located(asked), modalities, None),
        located(known),
        FeatureReader(modalities, None, from_files=modalities),
    )
    assert found == {"nearest": known}
