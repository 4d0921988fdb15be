"""Pictures become squares, lines become columns, and both can be shown again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from samples import encoded, picture

from seqloom.errors import DataError
from seqloom_vision.features import Features, LineFeatures, PictureFeatures, fitted


def read(features: Features, image: Image.Image, tmp_path: Path) -> torch.Tensor:
    file = tmp_path / "picture.png"
    file.write_bytes(encoded(image, "PNG"))
    return features.read(str(file))


def flag() -> Image.Image:
    """Red, a green square in the middle of 40 × 20, and blue."""
    image = Image.new("RGB", (40, 20), "red")
    ImageDraw.Draw(image).rectangle((10, 0, 29, 19), "lime")
    ImageDraw.Draw(image).rectangle((30, 0, 39, 19), "blue")
    return image


@pytest.mark.parametrize(("fit", "corner", "edge"), [
    ("crop", (0, 255, 0), (0, 255, 0)),
    ("stretch", (255, 0, 0), (255, 0, 0)),
    ("pad", (255, 255, 255), (255, 0, 0)),
])  # fmt: skip
def test_a_picture_becomes_a_square(
    fit: str, corner: tuple[int, ...], edge: tuple[int, ...], tmp_path: Path
) -> None:
    square = read(PictureFeatures(20, 20, fit), flag(), tmp_path)  # type: ignore[arg-type]
    assert (square.shape, square.dtype) == ((1, 3, 20, 20), torch.uint8)
    assert square.is_contiguous()
    assert square[0, :, 0, 0].tolist() == list(corner)
    assert square[0, :, 10, 0].tolist() == list(edge)
    assert square[0, :, 10, 10].tolist() == [0, 255, 0]


@pytest.mark.parametrize("fit", ["crop", "stretch", "pad"])
@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3, 7), (300, 200)])
def test_any_picture_becomes_one(fit: str, size: tuple[int, int]) -> None:
    assert fitted(picture(*size), 32, fit).size == (32, 32)  # type: ignore[arg-type]


def test_a_large_picture_is_seen_as_itself(tmp_path: Path) -> None:
    large = picture(1500, 1500)
    found = read(PictureFeatures(30, 30, "crop"), large, tmp_path)[0].permute(1, 2, 0)
    wanted = torch.from_numpy(np.array(large.resize((30, 30))))
    assert (found.float() - wanted.float()).abs().mean() < 3


def test_what_is_seen_of_a_picture_is_its_middle(tmp_path: Path) -> None:
    features = PictureFeatures(16, 20, "crop")
    kept = read(features, picture(20, 20), tmp_path)
    assert torch.equal(features.seen(kept), kept[:, :, 2:18, 2:18])
    varied = kept[:, :, :16, :16]  # as augmentation leaves it
    assert torch.equal(features.seen(varied), varied)


def line(columns: int = 60, rows: int = 30) -> Image.Image:
    """A black stroke at a third of a white line."""
    image = Image.new("L", (columns, rows), 255)
    ImageDraw.Draw(image).rectangle((columns // 3, 0, columns // 3 + 1, rows), 0)
    return image


def test_a_line_becomes_columns_of_ink(tmp_path: Path) -> None:
    columns = read(LineFeatures(30, "dark"), line(), tmp_path)
    assert (columns.shape, columns.dtype) == ((60, 30), torch.uint8)
    assert columns.is_contiguous()
    assert columns[:20].max() == 0
    assert columns[20:22].min() == 255
    assert columns[22:].max() == 0


def test_light_ink_is_high_too(tmp_path: Path) -> None:
    white_on_black = Image.eval(line(), lambda value: 255 - value)
    columns = read(LineFeatures(30, "light"), white_on_black, tmp_path)
    assert columns[20:22].min() == 255
    assert columns[22:].max() == 0


@pytest.mark.parametrize("size", [(60, 30), (7, 1), (33, 32), (2000, 200), (3001, 333)])
def test_a_line_keeps_its_proportions(size: tuple[int, int], tmp_path: Path) -> None:
    columns, rows = read(LineFeatures(32, "dark"), line(*size), tmp_path).shape
    assert rows == 32
    assert columns == pytest.approx(size[0] / size[1] * 32, rel=0.02, abs=1)  # a large one is shrunk first


@pytest.mark.parametrize("size", [(10, 30), (1, 300), (29, 30)])
def test_a_narrow_line_gets_more_of_its_ground(size: tuple[int, int], tmp_path: Path) -> None:
    grey = Image.new("L", size, 200)
    ImageDraw.Draw(grey).rectangle((0, size[1] // 3, size[0], size[1] // 2), 0)
    columns = read(LineFeatures(30, "dark"), grey, tmp_path)
    assert columns.shape == (30, 30)
    assert columns[0].max() > 200
    assert columns[-1].unique().tolist() == [55]


def test_what_is_far_too_wide_is_no_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"picture.png: 2000 × 1 pixels are 20000 columns at height 10"):
        read(LineFeatures(10, "dark"), Image.new("L", (2000, 1)), tmp_path)


@pytest.mark.parametrize("ink", ["dark", "light"])
def test_what_is_seen_of_a_line_is_the_line(ink: str, tmp_path: Path) -> None:
    features = LineFeatures(30, ink)  # type: ignore[arg-type]
    seen = features.seen(read(features, line(), tmp_path))
    assert seen.shape == (1, 3, 30, 60)
    assert np.array_equal(seen[0, 0].numpy(), np.array(line()))
