"""torchvision's networks for classification as chains of layers, without their classifiers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import torch
import torchvision
from torch import Tensor, nn
from torch.func import functional_call
from torchvision.models import DenseNet, VisionTransformer, get_model, list_models

from seqloom.errors import ConfigError, did_you_mean

NO_CHAINS: Final = ("googlenet", "inception_v3")  # in training, classifiers sit beside their layers
CLASSIFIERS: Final = ("avgpool", "classifier", "fc")  # what begins the end of each of the others
SIZED: Final[Mapping[str, Callable[[int], dict[str, Any]]]] = {
    "vit": lambda size: {"image_size": size},
    "maxvit": lambda size: {"input_size": (size, size)},
}
"""What the networks of a family are told of the size of pictures."""


class Network(nn.Module, ABC):
    """A network whose parameters have torchvision's names.

    Attributes:
        channels: C of what comes out.
        shape: Rows and columns of what comes out.
    """

    channels: int
    shape: tuple[int, int]

    @abstractmethod
    def forward(self, pictures: Tensor) -> Tensor:
        """[N, 3, size, size] to [N, C, rows, columns]."""

    @abstractmethod
    def pieces(self) -> tuple[Sequence[nn.Module], Sequence[nn.Module]]:
        """The layers before the last stage, and those of the last stage."""


def network(name: str, size: int) -> Network:
    """A network of torchvision's for pictures of a size, with random weights.

    Raises:
        ConfigError: torchvision has no such network, or not for pictures of this size.
    """
    known = [one for one in list_models(module=torchvision.models) if one not in NO_CHAINS]
    if name not in known:
        raise ConfigError(f"no backbone '{name}' among torchvision's.{did_you_mean(name, known)}")
    sized = SIZED.get(name.partition("_")[0])
    try:
        model = get_model(name, **({} if sized is None else sized(size)))
        return Tokens(model) if isinstance(model, VisionTransformer) else Chain(model, size)
    except (AssertionError, RuntimeError, ValueError) as error:
        raise ConfigError(f"{name} does not take pictures of {size} × {size} pixels: {error}") from error


class Chain(Network):
    """Layers one after another.

    Args:
        model: A network that ends in its classifier.
        size: Side of the pictures.
    """

    def __init__(self, model: nn.Module, size: int) -> None:
        super().__init__()
        self._names = []
        for name, layer in model.named_children():
            if name in CLASSIFIERS:
                break
            chain = nn.Sequential(*layer) if isinstance(layer, nn.ModuleList) else layer
            self.add_module(name, chain)
            self._names.append(name)
        if isinstance(model, DenseNet):
            self.add_module("relu", nn.ReLU())  # which is a function there
            self._names.append("relu")
        self._shapes = shapes_in(self._leaves(), torch.empty(1, 3, size, size, device="meta"))
        self.channels, rows, columns = self._shapes[-1]
        self.shape = (rows, columns)

    def forward(self, pictures: Tensor) -> Tensor:
        for name in self._names:
            pictures = self.get_submodule(name)(pictures)
        return pictures

    def pieces(self) -> tuple[Sequence[nn.Module], Sequence[nn.Module]]:
        """The last stage is that of the last resolution, or where no weight is in it, of that before."""
        leaves = self._leaves()
        sides = [min(shape) for shape in self._shapes]  # channels, last or first, are always more
        first = len(leaves)
        while not any(True for leaf in leaves[first:] for _ in leaf.parameters()):
            side = sides[first - 1]
            while first > 0 and sides[first - 1] == side:
                first -= 1
        return leaves[:first], leaves[first:]

    def _leaves(self) -> list[nn.Module]:
        return [leaf for name in self._names for leaf in _unfolded(self.get_submodule(name))]


def _unfolded(layer: nn.Module) -> Iterator[nn.Module]:
    """The layers of plain chains of chains."""
    if type(layer) is not nn.Sequential:
        yield layer
        return
    for inner in layer:
        yield from _unfolded(inner)


def shapes_in(layers: Sequence[nn.Module], pictures: Tensor) -> list[tuple[int, ...]]:
    """The shape of a picture after each layer, without computing it; ``pictures`` are on ``meta``."""
    shapes = []
    for layer in layers:
        weights = {name: tensor.to("meta") for name, tensor in layer.state_dict().items()}
        pictures = functional_call(layer.eval(), weights, pictures)
        layer.train()
        shapes.append(tuple(pictures.shape[1:]))
    return shapes


class Tokens(Network):
    """A Vision Transformer's last states of its patches (Dosovitskiy et al. 2021).

    Args:
        model: With its classifier.

    Attributes:
        patch: Side of a patch in pixels.
    """

    def __init__(self, model: VisionTransformer) -> None:
        super().__init__()
        self.conv_proj = model.conv_proj
        self.class_token = model.class_token
        self.encoder = model.encoder
        self.patch = model.patch_size
        side = model.image_size // self.patch
        self.channels = model.hidden_dim
        self.shape = (side, side)

    def forward(self, pictures: Tensor) -> Tensor:
        patches = self.conv_proj(pictures).flatten(2).transpose(1, 2)  # [N, S, C]
        first = self.class_token.expand(len(patches), -1, -1)
        states = self.encoder(torch.cat([first, patches], dim=1))[:, 1:]
        return states.transpose(1, 2).unflatten(2, self.shape)  # type: ignore[no-any-return]

    def pieces(self) -> tuple[Sequence[nn.Module], Sequence[nn.Module]]:
        """All are of one resolution: the last stage is the last quarter of the layers."""
        layers = list(self.encoder.layers)
        first = len(layers) - len(layers) // 4
        return [self.conv_proj, *layers[:first]], [*layers[first:], self.encoder.ln]
