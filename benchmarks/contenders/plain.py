"""A Transformer and a training loop as one writes them in plain PyTorch: what Seqloom is held against.

Post-norm, ReLU, sinusoidal positions, one table for source, target and output; label-smoothed
cross-entropy over real positions only; AdamW, clipping, warm-up and inverse square root.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Shape:
    """Of a Transformer with as many layers in its decoder as in its encoder."""

    vocabulary: int
    width: int
    layers: int
    heads: int
    feed_forward: int
    dropout: float


class PlainTransformer(nn.Module):
    """torch's own layers; the output layer is the embedding's table."""

    def __init__(self, shape: Shape, pad: int) -> None:
        super().__init__()
        self.pad, self.width = pad, shape.width
        self.embedding = nn.Embedding(shape.vocabulary, shape.width, padding_idx=pad)
        nn.init.normal_(self.embedding.weight, std=shape.width**-0.5)
        self.bias = nn.Parameter(torch.zeros(shape.vocabulary))
        self.register_buffer("positions", _sinusoids(512, shape.width))
        self.dropout = nn.Dropout(shape.dropout)
        options = (shape.width, shape.heads, shape.feed_forward, shape.dropout)
        encoder = nn.TransformerEncoderLayer(*options, batch_first=True)
        decoder = nn.TransformerDecoderLayer(*options, batch_first=True)
        self.encoder = nn.TransformerEncoder(encoder, shape.layers, enable_nested_tensor=False)
        self.decoder = nn.TransformerDecoder(decoder, shape.layers)

    def forward(self, source: Tensor, read: Tensor) -> Tensor:
        """Source [B, S] and what the decoder reads [B, U] to states [B, U, D]."""
        padding = source == self.pad
        memory = self.encoder(self._embed(source), src_key_padding_mask=padding)
        causal = nn.Transformer.generate_square_subsequent_mask(read.shape[1], dtype=torch.bool)
        return self.decoder(
            self._embed(read), memory, tgt_mask=causal, tgt_is_causal=True, memory_key_padding_mask=padding
        )

    def loss(self, source: Tensor, read: Tensor, target: Tensor) -> Tensor:
        """The mean label-smoothed cross-entropy of a target's real positions."""
        real = target != self.pad
        logits = F.linear(self(source, read)[real], self.embedding.weight, self.bias)
        return F.cross_entropy(logits.float(), target[real], label_smoothing=0.1)

    def _embed(self, tokens: Tensor) -> Tensor:
        embedded = self.embedding(tokens) * math.sqrt(self.width)
        return self.dropout(embedded + self.positions[: tokens.shape[1]])


class PlainLoop:
    """Steps of a training."""

    def __init__(self, model: PlainTransformer, rate: float, warmup: int, bf16: bool) -> None:
        self.model, self.rate, self.warmup, self.bf16 = model, rate, warmup, bf16
        self.optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.98), weight_decay=0.0)
        self.steps = 0

    def step(self, source: Tensor, read: Tensor, target: Tensor) -> None:
        """One batch."""
        self.steps += 1
        ratio = self.steps / self.warmup
        self.optimizer.param_groups[0]["lr"] = self.rate * min(ratio, ratio**-0.5)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            loss = self.model.loss(source, read, target)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()


def _sinusoids(length: int, width: int) -> Tensor:
    rates = 10_000 ** (-torch.arange(0, width, 2) / width)
    angles = torch.arange(length)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)
