"""What a job may set of pictures; read without torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from seqloom.hooks import Options

OF_PICTURES = ("crop", "flip", "brightness", "saturation", "hue", "operations", "magnitude")
OF_LINES = ("shear", "stretch", "blur", "noise")


class AugmentOptions(Options):
    """How a picture varies from pass to pass of a training; nothing does unless asked for."""

    crop: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Least share of the area that a random crop keeps (Szegedy et al. 2015): 0.5; "
        "null for none. Of whole pictures.",
    )
    flip: bool = Field(
        False,
        description="Whether every other picture is mirrored, left to right: not where a text says left "
        "or shows letters. Of whole pictures.",
    )
    brightness: float = Field(
        0.0, ge=0, le=1, description="Greatest change, as a share. Of whole pictures."
    )
    contrast: float = Field(0.0, ge=0, le=1, description="Greatest change, as a share.")
    saturation: float = Field(
        0.0, ge=0, le=1, description="Greatest change, as a share. Of whole pictures."
    )
    hue: float = Field(
        0.0,
        ge=0,
        le=0.5,
        description="Greatest change, as a share of the colour circle. Of whole pictures.",
    )
    operations: int = Field(
        0, ge=0, description="How many operations of RandAugment (Cubuk et al. 2020). Of whole pictures."
    )
    magnitude: int = Field(9, ge=0, le=30, description="Strength of these operations. Of whole pictures.")
    shear: float = Field(0.0, ge=0, le=45, description="Greatest slant, in degrees. Of lines.")
    stretch: float = Field(
        0.0, ge=0, lt=1, description="Greatest change of width and of height, as a share. Of lines."
    )
    blur: float = Field(
        0.0, ge=0, le=10, description="Greatest standard deviation of a Gaussian blur, in pixels. Of lines."
    )
    noise: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Greatest standard deviation of added noise, as a share of white. Of lines.",
    )


class CnnOptions(Options):
    """Of our own small residual network (He et al. 2016)."""

    name: Literal["cnn"] = Field("cnn", description="cnn, patches, torchvision, lines or blank.")
    channels: tuple[Annotated[int, Field(ge=8, multiple_of=8)], ...] = Field(
        (32, 64, 128, 256),
        min_length=1,
        description="Of each stage, multiples of 8. Each halves the grid: of four, a position is 16 × 16 "
        "pixels.",
    )
    blocks: int = Field(1, ge=0, description="Residual blocks of each stage.")


class PatchesOptions(Options):
    """Of squares that are projected, each by itself (Dosovitskiy et al. 2021)."""

    name: Literal["patches"] = Field("patches", description="cnn, patches, torchvision, lines or blank.")
    patch: int = Field(16, ge=1, description="Side of a square in pixels; it divides the picture's size.")


class TorchvisionOptions(Options):
    """Of torchvision's networks for classification."""

    name: Literal["torchvision"] = Field(
        "torchvision", description="cnn, patches, torchvision, lines or blank."
    )
    backbone: str = Field(
        "resnet18", description="The network, as torchvision calls it: resnet50, convnext_tiny, vit_b_16."
    )
    weights: str | None = Field(
        None,
        description="What it begins with: a .safetensors file with torchvision's names (~ and $NAME are "
        "expanded), or DEFAULT or another of torchvision's weights, which it downloads; null for random.",
    )
    train: Literal["frozen", "last", "all"] = Field(
        "all",
        description="Which of its layers learn: none, those at its last resolution, or all.",
    )


class LinesOptions(Options):
    """Of text lines of any width: convolutions, then a vector for each few columns (Shi et al. 2017)."""

    name: Literal["lines"] = Field("lines", description="cnn, patches, torchvision, lines or blank.")
    channels: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (32, 64, 96, 128), min_length=1, description="Of each stage. Each halves the height."
    )
    blocks: int = Field(0, ge=0, description="Residual blocks of each stage.")
    subsampling: Literal[1, 2, 4, 8] = Field(
        4, description="Columns of pixels of one position: at most as many as a letter is wide."
    )
    ink: Literal["dark", "light"] = Field("dark", description="Which the writing is, beside its ground.")


class BlankOptions(Options):
    """Of a front end that sees nothing of a picture: what a model can do blindly."""

    name: Literal["blank"] = Field("blank", description="cnn, patches, torchvision, lines or blank.")


FrontendOptions = Annotated[
    CnnOptions | PatchesOptions | TorchvisionOptions | LinesOptions | BlankOptions,
    Field(discriminator="name"),
]


class ImageOptions(Options):
    """Of pictures."""

    size: int = Field(
        128, ge=1, description="Side in pixels that a picture is brought to; of a line, its height."
    )
    fit: Literal["crop", "pad", "stretch"] = Field(
        "crop",
        description="How a picture becomes a square: its middle, all of it between white borders, or all "
        "of it out of proportion. Lines keep their proportions.",
    )
    augment: AugmentOptions = Field(AugmentOptions(), description="How pictures vary in training.")
    frontend: FrontendOptions = Field(CnnOptions(), description="What turns a picture into vectors.")

    @model_validator(mode="after")
    def _check(self) -> ImageOptions:
        is_line = isinstance(self.frontend, LinesOptions)
        if is_line and self.fit != "crop":
            raise ValueError(f"fit: {self.fit} is for whole pictures; lines keep their proportions")
        others = OF_PICTURES if is_line else OF_LINES
        for name in others:
            if getattr(self.augment, name) != AugmentOptions.model_fields[name].default:
                kind = "whole pictures, not for lines" if is_line else "lines, not for whole pictures"
                raise ValueError(f"augment.{name} is for {kind}")
        return self
