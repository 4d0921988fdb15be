"""Each kind of variation does what it says, by its generator alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from samples import picture
from torch import Tensor

from seqloom.drawing import Draw
from seqloom_vision.augmentation import (
    Augmentation,
    LineAugmentation,
    PictureAugmentation,
    blurred,
    cropped,
    sheared,
    stretched,
)
from seqloom_vision.randaugment import OPERATIONS, rand_augment

SEEDS = range(20)


def frames(side: int = 40) -> Tensor:
    pixels = torch.from_numpy(np.array(picture(side, side)))
    return pixels.permute(2, 0, 1)[None].contiguous()


def text_line(columns: int = 90, rows: int = 32) -> Tensor:
    """[T, h]: strokes on a ground of 40."""
    columns_of_ink = torch.full((columns, rows), 40, dtype=torch.uint8)
    columns_of_ink[10:-10:12, 6:-6] = 220
    columns_of_ink[11:-10:12, 6:-6] = 220
    return columns_of_ink


def draw(seed: int = 1) -> Draw:
    return Draw(torch.Generator().manual_seed(seed))


def varied(augmentation: Augmentation, features: Tensor) -> list[Tensor]:
    return [augmentation(features, draw(seed)) for seed in SEEDS]


def test_nothing_is_done_unless_asked_for() -> None:
    for augmentation, features in (
        (PictureAugmentation(size=40), frames()),
        (LineAugmentation(), text_line()),
    ):
        assert all(torch.equal(one, features) for one in varied(augmentation, features))


@pytest.mark.parametrize(
    ("augmentation", "features"),
    [
        (PictureAugmentation(size=40, flip=True), frames()),
        (PictureAugmentation(size=32, crop=0.3), frames()),
        (PictureAugmentation(size=40, brightness=0.5), frames()),
        (PictureAugmentation(size=40, contrast=0.5), frames()),
        (PictureAugmentation(size=40, saturation=0.5), frames()),
        (PictureAugmentation(size=40, hue=0.5), frames()),
        (PictureAugmentation(size=40, operations=2, magnitude=20), frames()),
        (LineAugmentation(shear=10), text_line()),
        (LineAugmentation(stretch=0.3), text_line()),
        (LineAugmentation(contrast=0.5), text_line()),
        (LineAugmentation(blur=2), text_line()),
        (LineAugmentation(noise=0.2), text_line()),
    ],
    ids=str,
)
def test_each_varies_by_its_generator_alone(augmentation: Augmentation, features: Tensor) -> None:
    before = features.clone()
    torch.manual_seed(1)
    first = varied(augmentation, features)
    torch.manual_seed(2)
    again = varied(augmentation, features)
    assert torch.equal(features, before)
    assert all(map(torch.equal, first, again))
    assert all(one.dtype == torch.uint8 for one in first)
    assert len({one.numpy().tobytes() for one in first}) > 1


# Whole pictures -----------------------------------------------------------------------------------------


def test_a_flip_mirrors_every_other_picture() -> None:
    mirrored = [
        torch.equal(one, frames().flip(-1))
        for one in varied(PictureAugmentation(size=40, flip=True), frames())
    ]
    kept = [torch.equal(one, frames()) for one in varied(PictureAugmentation(size=40, flip=True), frames())]
    assert all(one != other for one, other in zip(mirrored, kept, strict=True))
    assert 5 <= sum(mirrored) <= 15


def test_a_crop_keeps_the_share_that_it_must() -> None:
    ramp = torch.arange(200, dtype=torch.uint8).expand(1, 3, 200, 200).clone()
    shares = []
    for seed in range(60):
        part = cropped(ramp, 50, 0.5, draw(seed)).float()
        assert part.shape == (1, 3, 50, 50)
        shares.append((part[0, 0, 0, -1] - part[0, 0, 0, 0]).item() / 200)
    assert 0.5 < min(shares) < 0.75
    assert 0.9 < max(shares) <= 1


def test_a_crop_of_everything_is_everything() -> None:
    whole = cropped(frames(40), 40, 1.0, draw())
    assert (whole.float() - frames(40).float()).abs().mean() < 12  # but for its proportions


def test_all_frames_are_varied_alike() -> None:
    film = frames().expand(3, -1, -1, -1)
    augmentation = PictureAugmentation(size=32, crop=0.5, flip=True, hue=0.2, operations=2)
    for one in varied(augmentation, film):
        assert one.shape == (3, 3, 32, 32)
        assert torch.equal(one[0], one[1])
        assert torch.equal(one[0], one[2])


@pytest.mark.parametrize("operation", OPERATIONS[:-1])
def test_each_operation_changes_a_picture(operation: Callable[[Tensor, float], Tensor]) -> None:
    # one that neither autocontrast nor equalisation leaves alone
    dull = (frames() // 2 + 30).to(torch.uint8)
    strong = operation(dull, 0.9)
    assert (strong.shape, strong.dtype) == (dull.shape, torch.uint8)
    assert not torch.equal(strong, dull)


@pytest.mark.parametrize("operation", OPERATIONS[:9])
def test_signs_turn_operations_round(operation: Callable[[Tensor, float], Tensor]) -> None:
    assert torch.equal(operation(frames(), 0.0), frames())
    assert not torch.equal(operation(frames(), 0.9), operation(frames(), -0.9))


def test_magnitude_is_strength() -> None:
    def change(magnitude: int) -> float:
        differences = [
            (rand_augment(frames(), 1, magnitude, draw(seed)).float() - frames().float()).abs().mean()
            for seed in range(60)
        ]
        return torch.stack(differences).mean().item()

    assert change(2) < change(12) < change(30)


def test_the_last_operation_does_nothing() -> None:
    assert torch.equal(OPERATIONS[-1](frames(), 1.0), frames())


# Lines --------------------------------------------------------------------------------------------------


def as_rows(columns: Tensor) -> Tensor:
    return columns.T[None]


@pytest.mark.parametrize("height", [0.7, 1.0, 1.4])
@pytest.mark.parametrize("width", [0.5, 1.5])
def test_a_stretched_line_has_its_rows(width: float, height: float) -> None:
    other = stretched(as_rows(text_line()), width, height)
    assert other.shape == (1, 32, round(90 * width))
    assert other[0, 0, 0] == 40  # the ground is where there was nothing


def test_a_sheared_line_is_wider_and_slanted() -> None:
    slanted = sheared(as_rows(text_line()), 20)
    assert slanted.shape[1] == 32
    assert slanted.shape[2] > 90
    top, bottom = (slanted[0, row].float() > 120 for row in (8, 24))
    assert top.nonzero()[0] != bottom.nonzero()[0]
    assert slanted[0, :, :2].unique().tolist() == [40]
    assert slanted.min() == 40


def test_a_blur_keeps_what_is_even_and_the_sum() -> None:
    even = torch.full((1, 5, 3), 77, dtype=torch.uint8)
    assert torch.equal(blurred(even, 2.0), even)
    line = as_rows(text_line())
    soft = blurred(line, 1.0)
    assert soft.shape == line.shape
    assert soft.max() < line.max()
    assert abs(soft.float().mean() - line.float().mean()) < 1
    assert torch.equal(blurred(line, 0.0), line)


@pytest.mark.parametrize("columns", [1, 2, 5])
def test_narrow_lines_are_varied_too(columns: int) -> None:
    options: dict[str, Any] = {"shear": 45, "stretch": 0.9, "contrast": 1, "blur": 10, "noise": 1}
    for one in varied(LineAugmentation(**options), text_line(columns)):
        assert len(one) >= 1
        assert one.shape[1] == 32
        assert one.is_contiguous()
