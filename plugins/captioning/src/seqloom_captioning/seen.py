"""What did a model see of a picture, and where did it look at each word?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from seqloom.batch import Hypothesis
from seqloom.errors import UsageError
from seqloom.modality import Modality
from seqloom.tokenizer import Tokenizer
from seqloom_vision.modality import ImageModality

DARKEST: Final = 0.15
"""What is left of a picture's brightness where nobody looks."""


class Seen(NamedTuple):
    """A picture as a model saw it.

    Attributes:
        picture: Its pixels.
        grid: Rows and columns of the positions that attention is over, row by row.
    """

    picture: Image.Image
    grid: tuple[int, int]


class Look(NamedTuple):
    """A word, and where a model looked when it wrote it.

    Attributes:
        word: As the caption has it.
        weights: [S] attention to each position of the picture, the mean over the word's tokens.
    """

    word: str
    weights: NDArray[np.float32]


def seen(inputs: Mapping[str, str], modalities: Mapping[str, Modality]) -> Seen:
    """What a model saw of the picture in an example's inputs.

    Raises:
        UsageError: There is no picture among them.
    """
    for slot, modality in modalities.items():
        if isinstance(modality, ImageModality):
            features = modality.read(inputs[slot])
            pixels = modality.seen(features)[0].permute(1, 2, 0).numpy()
            return Seen(Image.fromarray(pixels), modality.grid(features))
    raise UsageError("this model's input is no picture of seqloom-vision, and nothing else can be shown")


def looks(hypothesis: Hypothesis, attention: Tensor, tokenizer: Tokenizer) -> list[Look]:
    """The words of a caption one after another, whatever tokens they are made of.

    Args:
        hypothesis: The caption.
        attention: [U, S] weights at each of its tokens, and at EOS, which is no word.
        tokenizer: Of captions.
    """
    tokens = hypothesis.tokens
    words = tokenizer.decode(tokens).split()
    own: dict[int, list[int]] = {}  # the tokens of each word, counted from 1
    for at in range(len(tokens)):
        own.setdefault(len(tokenizer.decode(tokens[: at + 1]).split()), []).append(at)
    weights = attention.numpy()
    return [
        Look(word, weights[own[number]].mean(0)) for number, word in enumerate(words, 1) if number in own
    ]


def lit(picture: Image.Image, weights: NDArray[np.float32], grid: tuple[int, int]) -> Image.Image:
    """A picture that is bright where it was looked at most, and dark where it was not.

    Args:
        picture: What the model saw.
        weights: [S] attention to its positions.
        grid: Their rows and columns.
    """
    light = Image.fromarray((weights / weights.max()).reshape(grid).astype(np.float32))
    shares = np.asarray(light.resize(picture.size, Image.Resampling.BICUBIC)).clip(0, 1)[..., None]
    pixels = np.asarray(picture) * (DARKEST + (1 - DARKEST) * shares)
    return Image.fromarray(pixels.round().astype(np.uint8))
