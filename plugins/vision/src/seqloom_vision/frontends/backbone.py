"""torchvision's networks as trunks: what they begin with, and which of their layers learn."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Literal

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torchvision.models import get_model_weights
from torchvision.models.vision_transformer import interpolate_embeddings

from seqloom.errors import ConfigError, unknown_name
from seqloom_vision.frontends.grid import Trunk
from seqloom_vision.frontends.networks import Tokens, network

SUFFIX = ".safetensors"


class Backbone(Trunk):
    """A network of torchvision's, up to the grid that its classifier would average.

    Args:
        name: As torchvision calls it.
        size: Side of the pictures.
        weights: What :meth:`load_pretrained` takes: a .safetensors file, or the name of weights that
            torchvision downloads; None for nothing.
        learning: Which layers learn. The others stay as they begin, their batch norms' statistics too.

    Raises:
        ConfigError: torchvision has no such network, or not for pictures of this size.
    """

    mean = (0.485, 0.456, 0.406)  # ImageNet's: all of torchvision's weights were trained with these
    deviation = (0.229, 0.224, 0.225)

    def __init__(
        self,
        name: str,
        size: int,
        weights: str | None = None,
        learning: Literal["frozen", "last", "all"] = "all",
    ) -> None:
        super().__init__()
        self.name = name
        self.size = size
        self.weights = weights
        self.network = network(name, size)
        self.channels, self.shape = self.network.channels, self.network.shape
        before, last = self.network.pieces()
        self._frozen = {"frozen": [*before, *last], "last": before, "all": []}[learning]
        if self._frozen:
            self.network.requires_grad_(False)
        if learning == "last":
            for piece in last:
                piece.requires_grad_(True)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.network(pictures)  # type: ignore[no-any-return]

    def train(self, mode: bool = True) -> Backbone:
        """Training mode for what learns; the rest stays in evaluation mode."""
        super().train(mode)
        for piece in self._frozen:
            piece.eval()
        return self

    def load_pretrained(self) -> None:
        """Takes the weights, which may hold more than this network has: its classifier.

        Raises:
            ConfigError: They are not there, or are another network's.
        """
        if self.weights is None:
            return
        found = self._read_weights(self.weights)
        if isinstance(self.network, Tokens):
            with suppress(KeyError, ValueError):  # no positions, or not in a square: told below
                found = interpolate_embeddings(self.size, self.network.patch, found)
        own = self.network.state_dict()
        for name, tensor in own.items():
            if name.endswith("num_batches_tracked"):
                found.setdefault(name, tensor)  # older files have none
            if name not in found or found[name].shape != tensor.shape:
                raise ConfigError(f"{self.weights}: these are no weights of {self.name}: look at {name}")
        self.network.load_state_dict({name: found[name] for name in own})

    def _read_weights(self, weights: str) -> dict[str, Tensor]:
        if weights.endswith(SUFFIX):
            file = Path(os.path.expandvars(weights)).expanduser()
            try:
                return load_file(file)
            except (OSError, SafetensorError) as error:
                raise ConfigError(f"{file}: cannot be read as weights: {error}") from error
        known = get_model_weights(self.name)
        if weights not in known.__members__:
            known_names = [*known.__members__, f"a {SUFFIX} file"]
            raise ConfigError(unknown_name(f"weights of {self.name}", weights, known_names))
        try:
            found: dict[str, Tensor] = known[weights].get_state_dict(
                progress=False, check_hash=True, weights_only=True
            )
        except Exception as error:  # of the network, the disk, or a damaged file that torch cannot read
            raise ConfigError(f"torchvision cannot get {weights} of {self.name}: {error}") from error
        return found
