"""RandAugment (Cubuk et al. 2020), with torchvision's operations and strengths.

torchvision's own class draws from torch's global generator; here the generator is an argument.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Final

from torch import Tensor
from torchvision.transforms.v2 import functional as F

from seqloom.drawing import Draw

STRONGEST: Final = 30
GREY: Final = [128.0]  # of what no pixel of the picture is moved to

Operation = Callable[[Tensor, float], Tensor]
"""Frames [T, 3, H, W] uint8 and how strongly, from 0 to 1, to frames; negative turns the other way."""


def rand_augment(frames: Tensor, operations: int, magnitude: int, draw: Draw) -> Tensor:
    """Frames [T, 3, H, W] uint8 after some operations, all frames alike.

    Args:
        frames: What to vary; stays as it is.
        operations: How many of them, one after another.
        magnitude: How strongly, from 0 to 30.
        draw: Chooses them.
    """
    for _ in range(operations):
        operation = draw.one_of(OPERATIONS)
        direction = 1 - 2 * draw.below(2)
        frames = operation(frames, direction * magnitude / STRONGEST)
    return frames


def _moved(
    frames: Tensor,
    *,
    angle: float = 0.0,
    translate: tuple[int, int] = (0, 0),
    slant: tuple[float, float] = (0.0, 0.0),
) -> Tensor:
    shear = [math.degrees(math.atan(share)) for share in slant]
    return F.affine(frames, angle=angle, translate=list(translate), scale=1.0, shear=shear, fill=GREY)


def _shear_columns(frames: Tensor, strength: float) -> Tensor:
    return _moved(frames, slant=(0.3 * strength, 0.0))


def _shear_rows(frames: Tensor, strength: float) -> Tensor:
    return _moved(frames, slant=(0.0, 0.3 * strength))


def _shift_columns(frames: Tensor, strength: float) -> Tensor:
    return _moved(frames, translate=(int(150 / 331 * frames.shape[-1] * strength), 0))


def _shift_rows(frames: Tensor, strength: float) -> Tensor:
    return _moved(frames, translate=(0, int(150 / 331 * frames.shape[-2] * strength)))


def _rotate(frames: Tensor, strength: float) -> Tensor:
    return _moved(frames, angle=30 * strength)


def _factor(adjust: Callable[[Tensor, float], Tensor], frames: Tensor, strength: float) -> Tensor:
    return adjust(frames, 1 + 0.9 * strength)


def _posterize(frames: Tensor, strength: float) -> Tensor:
    return F.posterize(frames, bits=round(8 - 4 * abs(strength)))


def _solarize(frames: Tensor, strength: float) -> Tensor:
    return F.solarize(frames, threshold=255 * (1 - abs(strength)))


def _alike(adjust: Callable[[Tensor], Tensor], frames: Tensor, strength: float) -> Tensor:  # noqa: ARG001
    return adjust(frames)


OPERATIONS: Final[tuple[Operation, ...]] = (
    _shear_columns,
    _shear_rows,
    _shift_columns,
    _shift_rows,
    _rotate,
    partial(_factor, F.adjust_brightness),
    partial(_factor, F.adjust_saturation),
    partial(_factor, F.adjust_contrast),
    partial(_factor, F.adjust_sharpness),
    _posterize,
    _solarize,
    partial(_alike, F.autocontrast),
    partial(_alike, F.equalize),
    partial(_alike, lambda frames: frames),
)
"""Those of the paper's section 4, each as likely as the others; the last one does nothing."""
