"""The modality ``image`` keeps the contract of modalities, with each of its front ends."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from samples import encoded, picture

from seqloom.batch import Padded
from seqloom.testing import ModalityContract
from seqloom_vision.build import build
from seqloom_vision.modality import ImageModality
from seqloom_vision.options import ImageOptions

PICTURES = {"crop": 0.5, "flip": True, "brightness": 0.2, "hue": 0.1, "operations": 2}
LINES = {"shear": 8, "stretch": 0.2, "contrast": 0.2, "blur": 1, "noise": 0.1}


def image(**options: Any) -> ImageModality:
    return build(ImageOptions.model_validate(options))


def write(tmp_path: Path, *sizes: tuple[int, int]) -> Iterable[str]:
    """A picture of each size."""
    for number, size in enumerate(sizes):
        file = tmp_path / f"{number}.png"
        file.write_bytes(encoded(picture(*size, seed=number), "PNG"))
        yield str(file)


class PicturesContract(ModalityContract):
    module = "seqloom_vision"
    length = 1
    frontend: Mapping[str, Any]

    def build(self) -> ImageModality:
        return image(size=32, augment=PICTURES, frontend=dict(self.frontend))

    def raws(self, tmp_path: Path) -> Iterable[str]:
        return write(tmp_path, (40, 30), (20, 50), (64, 64))


class TestCnn(PicturesContract):
    frontend = MappingProxyType({"name": "cnn", "channels": (8, 16), "blocks": 2})


class TestPatches(PicturesContract):
    frontend = MappingProxyType({"name": "patches", "patch": 8})


class TestTorchvision(PicturesContract):
    frontend = MappingProxyType({"name": "torchvision", "backbone": "squeezenet1_1"})


class TestBlank(PicturesContract):
    frontend = MappingProxyType({"name": "blank"})


class TestLines(ModalityContract):
    module = "seqloom_vision"

    def build(self) -> ImageModality:
        frontend = {"name": "lines", "channels": (8, 16, 16), "blocks": 2}
        return image(size=16, augment=LINES, frontend=frontend)

    def raws(self, tmp_path: Path) -> Iterable[str]:
        return write(tmp_path, (90, 16), (33, 16), (20, 30), (5, 30), (140, 32))


FRONTENDS = [
    ({"name": "cnn", "channels": (8, 16)}, (9, 9)),
    ({"name": "patches", "patch": 6}, (6, 6)),
    ({"name": "torchvision", "backbone": "squeezenet1_1"}, (2, 2)),
    ({"name": "lines", "channels": (8, 16)}, (1, 9)),
    ({"name": "blank"}, (1, 1)),
]


@pytest.mark.parametrize(("frontend", "grid"), FRONTENDS, ids=[chosen["name"] for chosen, _ in FRONTENDS])
def test_the_grid_is_that_of_the_positions(
    frontend: dict[str, Any], grid: tuple[int, int], tmp_path: Path
) -> None:
    modality = image(size=36, frontend=frontend)
    (raw,) = write(tmp_path, (35, 36))
    features = modality.read(raw)
    found = modality.frontend(8, None)(Padded(features[None], torch.tensor([len(features)])))
    assert modality.grid(features) == grid
    assert modality.frontend(8, None).grid(len(features)) == grid
    assert found.lengths.tolist() == [grid[0] * grid[1]]


@pytest.mark.parametrize(
    "frontend", [chosen for chosen, _ in FRONTENDS[:3]], ids=lambda chosen: chosen["name"]
)
def test_a_film_is_its_frames_one_after_another(frontend: dict[str, Any]) -> None:
    modality = image(size=36, frontend=frontend)
    film = torch.randint(256, (2, 3, 3, 36, 36), dtype=torch.uint8)
    layers = modality.frontend(8, None).eval()
    together = layers(Padded(film, torch.tensor([3, 2])))
    rows, columns = modality.grid(film[0])
    assert together.lengths.tolist() == [rows * columns, rows * columns // 3 * 2]
    assert layers.grid(3) == (rows, columns)
    seen = layers.fixed_part(Padded(film, torch.tensor([3, 2])))
    layers.is_given_fixed = True
    assert layers.grid(int(seen.lengths[0])) == (rows, columns)
    layers.is_given_fixed = False
    for frame in range(3):
        alone = layers(Padded(film[:, frame, None], torch.tensor([1, 1])))
        size = alone.values.shape[1]
        found = together.values[:, frame * size : (frame + 1) * size]
        torch.testing.assert_close(found, alone.values, rtol=1e-5, atol=1e-5)


def test_pictures_that_may_be_cropped_are_kept_larger(tmp_path: Path) -> None:
    (raw,) = write(tmp_path, (200, 200))
    assert image(size=112).read(raw).shape == (1, 3, 112, 112)
    modality = image(size=112, augment={"crop": 0.5})
    features = modality.read(raw)
    assert features.shape == (1, 3, 128, 128)
    assert modality.augment(features, torch.Generator()).shape == (1, 3, 112, 112)
    assert modality.seen(features).shape == (1, 3, 112, 112)


def test_a_blank_sees_nothing(tmp_path: Path) -> None:
    modality = image(size=32, frontend={"name": "blank"})
    one, other = (modality.read(raw)[None] for raw in write(tmp_path, (40, 30), (30, 40)))
    layers = modality.frontend(8, None)
    length = torch.tensor([1])
    assert not torch.equal(one, other)
    assert torch.equal(layers(Padded(one, length)).values, layers(Padded(other, length)).values)


def test_it_pickles_small() -> None:
    assert len(pickle.dumps(image(augment=PICTURES, frontend={"name": "torchvision"}))) < 4000


@pytest.mark.parametrize(
    "frontend", [{"name": "lines", "channels": (8, 16)}, {"name": "patches", "patch": 8}]
)
def test_a_blank_picture_is_odd(frontend: Mapping[str, Any], tmp_path: Path) -> None:
    """A page that was photographed is never quite of one colour."""
    modality = image(size=32, frontend=frontend)
    (contrast,) = modality.measures
    page = np.random.default_rng(1).integers(235, 245, (40, 90, 3), dtype=np.uint8)
    written = page.copy()
    written[10:30, 40:44] = 90
    found = []
    for name, pixels in (("page", page), ("written", written)):
        file = tmp_path / f"{name}.jpg"
        file.write_bytes(encoded(Image.fromarray(pixels), "JPEG"))
        found += modality.measure(modality.read(str(file)))
    blank, full = found
    assert contrast.least is not None
    assert blank < contrast.least < full
