"""The Transformer's encoder and decoder (Vaswani et al. 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqloom.batch import Decoded, Memory, Padded, Shared
from seqloom.nn.decoder import Decoder
from seqloom.nn.dropout import Dropout
from seqloom.nn.embedding import TokenEmbedding
from seqloom.nn.encoder import Encoder, in_portions, masked_mean
from seqloom.nn.multihead import CrossAttention, SelfAttention, linear
from seqloom.nn.positions import LearnedPositions, Positions, SinusoidalPositions


@dataclass(frozen=True, kw_only=True)
class TransformerShape:
    """How a Transformer's half is made.

    Attributes:
        width: D of what goes in, of each layer and of what comes out.
        layers: How many layers.
        heads: Attention heads; they divide the width.
        feed_forward: Width inside the feed-forward part.
        dropout: Of embeddings and of each part's output.
        attention_dropout: Of attention weights.
        norm: Layer norm before each part, with one more at the end (Xiong et al. 2020), or after its sum.
        activation: Inside the feed-forward part.
        positions: Fixed waves or learned vectors.
        max_positions: How many learned vectors.
    """

    width: int
    layers: int = 6
    heads: int = 8
    feed_forward: int = 2048
    dropout: float = 0.1
    attention_dropout: float = 0.0
    norm: Literal["pre", "post"] = "pre"
    activation: Literal["relu", "gelu"] = "relu"
    positions: Literal["sinusoidal", "learned"] = "sinusoidal"
    max_positions: int = 1024

    def make_positions(self) -> Positions:
        """The positions that this shape asks for."""
        if self.positions == "learned":
            return LearnedPositions(self.width, self.max_positions)
        return SinusoidalPositions(self.width)

    def make_final_norm(self) -> nn.Module:
        """What follows the last layer: its sums are not yet normalised where norms come before parts."""
        return nn.LayerNorm(self.width) if self.norm == "pre" else nn.Identity()


class TransformerEncoder(Encoder):
    """Self-attention layers over features.

    Args:
        shape: How it is made; its width is that of the features.
    """

    def __init__(self, shape: TransformerShape) -> None:
        super().__init__()
        self.width = shape.width
        self.final_shape = (1, shape.width)
        self.positions = shape.make_positions()
        self.dropout = Dropout(shape.dropout)
        self.layers = nn.ModuleList(EncoderLayer(shape) for _ in range(shape.layers))
        self.norm = shape.make_final_norm()

    def forward(self, features: Padded) -> Memory:
        """Encodes features [B, T, D].

        Raises:
            DataError: Longer than the learned positions.
        """
        return in_portions(self._encode, features)

    def _encode(self, features: Padded) -> Memory:
        values, mask = features.values, features.mask()
        x = self.dropout(values + self.positions(0, values.shape[1], values.device))
        for layer in self.layers:
            x = layer(x, mask[:, None, None])
        x = self.norm(x)
        return Memory(x, features.lengths, final=masked_mean(x, mask))

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compiles each layer: as they are alike, torch writes the kernels of one."""
        for layer in self.layers:
            layer.compile(*args, **kwargs)


class TransformerContext(NamedTuple):
    """A source as the decoder's layers see it.

    Attributes:
        memories: For each layer, keys and values [B, h, 2, S, d] of the memory.
        bias: [B, 1, 1, S], added to what attention compares: 0 where a position is real, else -inf.
    """

    memories: tuple[Tensor, ...]
    bias: Tensor


class TransformerState(NamedTuple):
    """What hypotheses have written: those of a source are the branches of a tree with N tokens.

    A search goes on with other branches; the tree only grows, and nothing of it is moved.

    Attributes:
        written: For each layer, keys and values [B, h, 2, N, d] of all tokens, maybe with room for more.
        bias: [B, K, N], 0 where a token is of a hypothesis, else -inf.
        length: Tokens of each hypothesis.
    """

    written: Shared
    bias: Tensor
    length: int


class TransformerDecoder(Decoder[TransformerContext, TransformerState]):
    """Causal self-attention and cross-attention layers.

    The attention that it gives is the mean over its layers and their heads.

    Args:
        shape: How it is made; its width is that of the embedding.
        memory_width: D of the memory's values.
        embedding: Tokens to vectors.
        output: States [.., D] to logits [.., V].
    """

    def __init__(
        self, shape: TransformerShape, memory_width: int, embedding: TokenEmbedding, output: nn.Module
    ) -> None:
        super().__init__()
        self.embedding = embedding
        self.positions = shape.make_positions()
        self.longest = self.positions.limit
        self.dropout = Dropout(shape.dropout)
        layers = nn.ModuleList(DecoderLayer(shape, memory_width) for _ in range(shape.layers))
        self.layers = cast("Sequence[DecoderLayer]", layers)  # a ModuleList does not say of what
        self.norm = shape.make_final_norm()
        self.output = output

    def forward(
        self, memory: Memory, tokens: Padded, *, at: Tensor | None = None, weights: bool = False
    ) -> Decoded:
        mask = memory.mask()[:, None, None]
        x = self._embed(tokens.values, 0, tokens.values.shape[1])
        attention = []
        for layer in self.layers:
            x, attended = layer(x, layer.cross_attention.prepare(memory.values), mask, weights=weights)
            attention.append(attended)
        states = self.norm(x if at is None else x[at])
        return Decoded(self.output(states), torch.stack(attention).mean(0) if weights else None)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compiles each layer, for training; a search does other things, and stays as it is."""
        for layer in self.layers:
            layer.compile(*args, **kwargs)

    def prepare(self, memory: Memory) -> TransformerContext:
        memories = (layer.cross_attention.prepare(memory.values) for layer in self.layers)
        real = memory.mask()[:, None, None]
        bias = memory.values.new_zeros(real.shape).masked_fill(~real, -torch.inf)
        return TransformerContext(tuple(each.contiguous() for each in memories), bias)

    def start(self, context: TransformerContext, hypotheses: int) -> TransformerState:
        nothing = tuple(looked[..., :0, :] for looked in context.memories)
        bias = context.bias.new_empty(len(context.bias), hypotheses, 0)
        return TransformerState(Shared(nothing), bias, 0)

    def step(
        self, context: TransformerContext, state: TransformerState, token: Tensor
    ) -> tuple[Tensor, TransformerState]:
        x = self._embed(token, state.length, 1)
        size, count = token.shape
        own = state.bias.new_full((count, count), -torch.inf).fill_diagonal_(0)
        bias = torch.cat([state.bias, own.expand(size, -1, -1)], -1)
        written = []
        for layer, looked, before in zip(
            self.layers, context.memories, state.written.of_source, strict=True
        ):
            x, longer = layer.step(x, looked, context.bias, before, bias[:, None])
            written.append(longer)
        logits: Tensor = self.output(self.norm(x))
        return logits, TransformerState(Shared(tuple(written)), bias, state.length + 1)

    def _embed(self, tokens: Tensor, start: int, length: int) -> Tensor:
        embedded = self.embedding(tokens) + self.positions(start, length, tokens.device)
        dropped: Tensor = self.dropout(embedded)
        return dropped


class EncoderLayer(nn.Module):
    """Self-attention, then the feed-forward part."""

    def __init__(self, shape: TransformerShape) -> None:
        super().__init__()
        self.self_attention = SelfAttention(shape.width, shape.heads, shape.attention_dropout)
        self.self_sum = Residual(shape)
        self.feed_forward = FeedForward(shape)
        self.feed_forward_sum = Residual(shape)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """[B, T, D] and [B, 1, 1, T] bool to [B, T, D]."""
        x = self.self_sum(x, self.self_attention(self.self_sum.enter(x), mask))
        return self.feed_forward_sum(x, self.feed_forward(self.feed_forward_sum.enter(x)))  # type: ignore[no-any-return]


class DecoderLayer(nn.Module):
    """Causal self-attention, then cross-attention, then the feed-forward part."""

    def __init__(self, shape: TransformerShape, memory_width: int) -> None:
        super().__init__()
        self.self_attention = SelfAttention(shape.width, shape.heads, shape.attention_dropout)
        self.self_sum = Residual(shape)
        self.cross_attention = CrossAttention(
            shape.width, memory_width, shape.heads, shape.attention_dropout
        )
        self.cross_sum = Residual(shape)
        self.feed_forward = FeedForward(shape)
        self.feed_forward_sum = Residual(shape)

    def forward(
        self, x: Tensor, looked: Tensor, mask: Tensor, *, weights: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """All positions [B, U, D] of a target, padded on the right; see :class:`CrossAttention`."""
        x = self.self_sum(x, self.self_attention(self.self_sum.enter(x), causal=True))
        part, attention = self.cross_attention(self.cross_sum.enter(x), looked, mask, weights=weights)
        return self._finish(x, part), attention

    def step(
        self, x: Tensor, looked: Tensor, bias: Tensor, written: Tensor, own: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The next position [B, K, D] of each hypothesis; see both attentions' ``step``."""
        attended, written = self.self_attention.step(self.self_sum.enter(x), written, own)
        x = self.self_sum(x, attended)
        return self._finish(x, self.cross_attention.step(self.cross_sum.enter(x), looked, bias)), written

    def _finish(self, x: Tensor, part: Tensor) -> Tensor:
        """Adds what cross-attention made, and all that follows it."""
        x = self.cross_sum(x, part)
        return self.feed_forward_sum(x, self.feed_forward(self.feed_forward_sum.enter(x)))  # type: ignore[no-any-return]


class FeedForward(nn.Module):
    """Each position through a wider layer and back (Vaswani et al. 2017, section 3.3)."""

    def __init__(self, shape: TransformerShape) -> None:
        super().__init__()
        self.inner = linear(shape.width, shape.feed_forward)
        self.outer = linear(shape.feed_forward, shape.width)
        self.activation = torch.relu_ if shape.activation == "relu" else F.gelu

    def forward(self, x: Tensor) -> Tensor:
        outer: Tensor = self.outer(self.activation(self.inner(x)))
        return outer


class Residual(nn.Module):
    """The sum of what enters a part and what leaves it, with dropout and the norm in their places."""

    def __init__(self, shape: TransformerShape) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(shape.width)
        self.dropout = Dropout(shape.dropout)
        self.pre = shape.norm == "pre"

    def enter(self, x: Tensor) -> Tensor:
        """What the part is given."""
        return self.norm(x) if self.pre else x

    def forward(self, x: Tensor, part: Tensor) -> Tensor:
        """Adds what the part made to ``x``."""
        added: Tensor = x + self.dropout(part)
        return added if self.pre else self.norm(added)
