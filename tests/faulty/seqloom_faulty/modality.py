"""Text that loses tokens as it is varied, and tells who varies it."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from torch import Tensor

from seqloom_text.modality import TextModality


class FaultyModality(TextModality):
    """Leaves the id of each process that varies an input in the folder FAULTY_WORKERS."""

    def augment(self, features: Tensor, generator: torch.Generator) -> Tensor:
        if folder := os.environ.get("FAULTY_WORKERS"):
            (Path(folder) / str(os.getpid())).touch()
        lost = torch.rand(features.shape, generator=generator) < 0.2
        return torch.where(lost, self.tokenizer.vocabulary.unk, features)
