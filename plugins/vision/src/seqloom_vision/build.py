"""Options to objects."""

from __future__ import annotations

from functools import partial
from typing import Final

from seqloom_vision.augmentation import Augmentation, LineAugmentation, PictureAugmentation
from seqloom_vision.features import LineFeatures, PictureFeatures
from seqloom_vision.frontends.backbone import Backbone
from seqloom_vision.frontends.blank import Blank
from seqloom_vision.frontends.cnn import ResidualNetwork
from seqloom_vision.frontends.grid import GridFrontend, ImageFrontend
from seqloom_vision.frontends.lines import Lines
from seqloom_vision.frontends.patches import Patches
from seqloom_vision.modality import ImageModality
from seqloom_vision.options import (
    OF_LINES,
    OF_PICTURES,
    AugmentOptions,
    BlankOptions,
    CnnOptions,
    ImageOptions,
    LinesOptions,
    PatchesOptions,
)

MARGIN: Final = 8 / 7  # pictures that are cropped at random are kept this much larger: 256 for 224


def build(options: ImageOptions) -> ImageModality:
    """The modality that options ask for."""
    frontend, varies = partial(build_frontend, options), options.augment != AugmentOptions()
    if isinstance(options.frontend, LinesOptions):
        lines = LineFeatures(options.size, options.frontend.ink)
        return ImageModality(lines, _augmentation(options), frontend, varies=varies)
    side = options.size if options.augment.crop is None else round(MARGIN * options.size)
    return ImageModality(
        PictureFeatures(options.size, side, options.fit), _augmentation(options), frontend, varies=varies
    )


def _augmentation(options: ImageOptions) -> Augmentation:
    given = options.augment
    if isinstance(options.frontend, LinesOptions):
        return LineAugmentation(**given.model_dump(include={*OF_LINES, "contrast"}))
    return PictureAugmentation(size=options.size, **given.model_dump(include={*OF_PICTURES, "contrast"}))


def build_frontend(options: ImageOptions, width: int) -> ImageFrontend:
    """The front end that options ask for."""
    size, chosen = options.size, options.frontend
    if isinstance(chosen, BlankOptions):
        return Blank(width)
    if isinstance(chosen, LinesOptions):
        return Lines(width, size, chosen.channels, chosen.blocks, chosen.subsampling)
    if isinstance(chosen, CnnOptions):
        return GridFrontend(ResidualNetwork(size, chosen.channels, chosen.blocks), width)
    if isinstance(chosen, PatchesOptions):
        return GridFrontend(Patches(size, chosen.patch, width), width)
    return GridFrontend(Backbone(chosen.backbone, size, chosen.weights, chosen.train), width)
