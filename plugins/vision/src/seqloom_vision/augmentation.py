"""Variations of pictures for training."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as F

from seqloom.drawing import Draw
from seqloom_vision.features import ground_of
from seqloom_vision.randaugment import rand_augment

PROPORTION: Final = 4 / 3  # of a random crop's sides at most: Szegedy et al. 2015, section 6


class Augmentation(ABC):
    """Varies the features of one kind of picture."""

    @abstractmethod
    def __call__(self, features: Tensor, draw: Draw) -> Tensor:
        """A variation of features [T, *F] uint8, which stay as they are."""


@dataclass(frozen=True, kw_only=True)
class PictureAugmentation(Augmentation):
    """Varies whole pictures, all frames of one alike.

    Attributes:
        size: Side of what comes out.
        crop: Least share of the area that is kept, None for all of it.
        flip: Whether to mirror every other picture.
        brightness: Greatest change, as a share; likewise ``contrast`` and ``saturation``.
        hue: Greatest change, as a share of the colour circle.
        operations: How many operations of RandAugment.
        magnitude: Their strength, up to 30.
    """

    size: int
    crop: float | None = None
    flip: bool = False
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    operations: int = 0
    magnitude: int = 9

    def __call__(self, features: Tensor, draw: Draw) -> Tensor:
        """[T, 3, side, side] to [T, 3, size, size]."""
        frames = features
        if self.crop is not None:
            frames = cropped(frames, self.size, self.crop, draw)
        if self.flip and draw.below(2):
            frames = F.horizontal_flip(frames)
        frames = rand_augment(frames, self.operations, self.magnitude, draw)
        if self.brightness:
            frames = F.adjust_brightness(frames, draw.around(1, self.brightness))
        if self.contrast:
            frames = F.adjust_contrast(frames, draw.around(1, self.contrast))
        if self.saturation:
            frames = F.adjust_saturation(frames, draw.around(1, self.saturation))
        if self.hue:
            frames = F.adjust_hue(frames, draw.around(0, self.hue))
        return frames


def cropped(frames: Tensor, size: int, least: float, draw: Draw) -> Tensor:
    """A part of frames [T, 3, H, W] of at least a share of their area, brought to ``size``."""
    rows, columns = frames.shape[-2:]
    area = rows * columns * draw.between(least, 1)
    proportion = math.exp(draw.around(0, math.log(PROPORTION)))
    width = min(columns, max(1, round(math.sqrt(area * proportion))))
    height = min(rows, max(1, round(math.sqrt(area / proportion))))
    top, left = draw.below(rows - height + 1), draw.below(columns - width + 1)
    return F.resized_crop(frames, top, left, height, width, [size, size])


@dataclass(frozen=True, kw_only=True)
class LineAugmentation(Augmentation):
    """Varies text lines.

    Attributes:
        shear: Greatest slant, in degrees.
        stretch: Greatest change of width and of height, as a share.
        contrast: Greatest change, as a share.
        blur: Greatest standard deviation of a Gaussian blur, in pixels.
        noise: Greatest standard deviation of added noise, as a share of white.
    """

    shear: float = 0.0
    stretch: float = 0.0
    contrast: float = 0.0
    blur: float = 0.0
    noise: float = 0.0

    def __call__(self, features: Tensor, draw: Draw) -> Tensor:
        """[T, h] to [T', h]: a line may become longer or shorter."""
        line = features.T[None]  # [1, h, T]
        if self.stretch:
            line = stretched(line, draw.around(1, self.stretch), draw.around(1, self.stretch))
        if self.shear:
            line = sheared(line, draw.around(0, self.shear))
        if self.contrast:
            line = F.adjust_contrast(line, draw.around(1, self.contrast))
        if self.blur:
            line = blurred(line, draw.between(0, self.blur))
        if self.noise:
            line = noisy(line, draw.between(0, self.noise), draw)
        return line[0].T.contiguous()


def stretched(line: Tensor, width: float, height: float) -> Tensor:
    """[1, h, T] in other proportions, in the middle of h rows again."""
    rows, columns = line.shape[-2:]
    size = [max(1, round(rows * height)), max(1, round(columns * width))]
    other = F.resize(line, size)
    missing = rows - other.shape[-2]
    if missing > 0:
        return F.pad(other, [0, missing // 2, 0, missing - missing // 2], fill=ground_of(line))
    return other[:, -missing // 2 :][:, :rows]


def sheared(line: Tensor, degrees: float) -> Tensor:
    """[1, h, T] slanted, and as much wider as that takes."""
    aside = math.ceil(line.shape[-2] / 2 * abs(math.tan(math.radians(degrees)))) + 1
    slanted = F.affine(
        F.pad(line, [2 * aside, 0], fill=ground_of(line)),  # twice, as its edges come out dark
        angle=0.0,
        translate=[0, 0],
        scale=1.0,
        shear=[degrees, 0.0],
        interpolation=InterpolationMode.BILINEAR,
    )
    return slanted[..., aside:-aside]


def blurred(line: Tensor, deviation: float) -> Tensor:
    """[1, h, T] after a Gaussian blur; beyond its border, its outermost pixels count."""
    reach = max(1, math.ceil(3 * deviation))
    offsets = torch.arange(-reach, reach + 1)
    bell = torch.exp(-0.5 * (offsets / max(deviation, 1e-3)) ** 2)
    bell = bell / bell.sum()
    soft = torch.nn.functional.pad(line[None].float(), [reach] * 4, mode="replicate")
    soft = torch.nn.functional.conv2d(soft, bell.view(1, 1, -1, 1))
    soft = torch.nn.functional.conv2d(soft, bell.view(1, 1, 1, -1))
    return soft[0].round().to(line.dtype)


def noisy(line: Tensor, deviation: float, draw: Draw) -> Tensor:
    """[1, h, T] with noise of its own for each pixel."""
    noise = 255 * deviation * draw.normal(line.shape)
    return (line + noise).clamp(0, 255).round().to(line.dtype)
