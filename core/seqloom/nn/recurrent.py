"""Recurrent encoder and decoder: LSTM or GRU layers, with an attention between them or without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple, cast

import torch
from torch import Tensor, nn

from seqloom.batch import Decoded, Memory, Padded
from seqloom.errors import ConfigError
from seqloom.nn.attention import AnyAttention, NoAttention
from seqloom.nn.copying import Pointer, to_copy
from seqloom.nn.decoder import Decoder
from seqloom.nn.dropout import Dropout
from seqloom.nn.embedding import TokenEmbedding
from seqloom.nn.encoder import Encoder, join_positions
from seqloom.nn.recurrence import Bridge, Recurrence, RecurrentShape

NOT_COMPILED: Final = (
    "torch.compile has nothing to win in recurrent layers, whose kernels are whole already: "
    "take train.compile out, or choose Transformer parts"
)


class RecurrentEncoder(Encoder):
    """LSTM or GRU layers over features.

    The final state holds each layer's last state, (h, c) of an LSTM or h of a GRU, each with the
    directions side by side; a direction's last state is the one after its last real position.

    Args:
        width: D of the features. The memory's values have the state's width for each direction.
        shape: How its layers are made.
        bidirectional: Whether to read from both ends.
        reverse: Whether to read from the end (Sutskever et al. 2014, section 3.3). The values stay in
            the input's order: those at t have read t and all that follows.
        pyramid: How many of the upper layers read pairs of positions as one, so that each halves their
            number, rounded up (Chan et al. 2016, section 3.1).

    Raises:
        ConfigError: Both ``bidirectional`` and ``reverse``, or a pyramid of all layers or more.
    """

    def __init__(
        self,
        width: int,
        shape: RecurrentShape,
        *,
        bidirectional: bool = True,
        reverse: bool = False,
        pyramid: int = 0,
    ) -> None:
        super().__init__()
        if bidirectional and reverse:
            raise ConfigError(
                "a bidirectional encoder reads from both ends: choose either bidirectional or reverse"
            )
        if pyramid >= shape.layers:
            raise ConfigError(
                f"a pyramid of {pyramid} stands on a layer that reads every position: "
                f"that takes {pyramid + 1} layers, and there are {shape.layers}"
            )
        self.reverse = reverse
        self.stride = 2**pyramid
        self.dropout = Dropout(shape.dropout)
        below, above = replace(shape, layers=shape.layers - pyramid), replace(shape, layers=1)
        self.recurrence = Recurrence(below, width, bidirectional=bidirectional)
        self.width = self.recurrence.width
        self.final_shape = (shape.layers, self.recurrence.state_width)
        halving = nn.ModuleList(
            Recurrence(above, 2 * self.width, bidirectional=bidirectional) for _ in range(pyramid)
        )
        self.pyramid = cast("Sequence[Recurrence]", halving)  # a ModuleList does not say of what

    def forward(self, features: Padded) -> Memory:
        """Encodes features [B, T, D], each of at least one position."""
        features, final = self._read(self.recurrence, _reversed(features) if self.reverse else features)
        finals = [final]
        for layer in self.pyramid:
            features, final = self._read(layer, join_positions(features, 2))
            finals.append(final)
        read, lengths = _reversed(features) if self.reverse else features
        return Memory(read, lengths, torch.cat(finals, 1))

    def _read(self, layers: Recurrence, features: Padded) -> tuple[Padded, Tensor]:
        """Features as some layers read them, and the state that these end in."""
        read, final = layers.read(features._replace(values=self.dropout(features.values)))
        return features._replace(values=read), final

    def compile(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Refuses.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError(NOT_COMPILED)


def _reversed(padded: Padded) -> Padded:
    """The real positions from last to first; padding stays on the right."""
    size = padded.values.shape[1]
    order = (padded.lengths[:, None] - 1 - torch.arange(size, device=padded.lengths.device)) % size
    return padded._replace(values=padded.values.gather(1, order[:, :, None].expand_as(padded.values)))


class RecurrentContext(NamedTuple):
    """A source as the decoder sees it.

    Attributes:
        layers: [B, L, H], the state that its hypotheses begin with.
        keys: What the attention prepared.
        copy_ids: [B, 1, S] int64, the source's tokens; None without copying.
    """

    layers: Tensor
    keys: Any
    copy_ids: Tensor | None


class RecurrentState(NamedTuple):
    """What a hypothesis has become.

    Attributes:
        layers: [B, K, L, H].
        fed: [B, K, D], the last output, for input feeding; [B, K, 0] without it.
        attention: The attention's own state.
    """

    layers: Tensor
    fed: Tensor
    attention: Any


class RecurrentDecoder(Decoder[RecurrentContext, RecurrentState]):
    """LSTM or GRU layers over the target.

    With an attention, the top layer's state h looks the memory up and the output is
    tanh(W [h; context]) (Luong et al. 2015, section 3). Without one, all that it knows of the source is
    the state that it begins with (Sutskever et al. 2014), and the output is tanh(W h).

    What the layers begin with is the :class:`seqloom.nn.recurrence.Bridge`'s affair.

    Args:
        embedding: Tokens to vectors.
        output: States [.., D] to logits [.., V], D being the embedding's width.
        attention: For queries of the shape's ``hidden`` width, or None.
        memory_final: (L, H) of the memory's final state.
        shape: How its layers are made.
        input_feeding: Whether a step also reads the last output (Luong et al. 2015, section 3.3).
            Positions then wait for each other in training too.
        copying: Whether a token may also be one that is attended to (See et al. 2017, section 2.2). The
            logits are then logarithms of probabilities, in fp32.

    Raises:
        ConfigError: ``input_feeding`` or ``copying`` without an attention: they are about what it looks at.
    """

    def __init__(
        self,
        embedding: TokenEmbedding,
        output: nn.Module,
        attention: AnyAttention | None,
        memory_final: tuple[int, int],
        shape: RecurrentShape,
        *,
        input_feeding: bool = False,
        copying: bool = False,
    ) -> None:
        super().__init__()
        if input_feeding and attention is None:
            raise ConfigError(
                "input_feeding feeds what the last step attended to, and this decoder has no attention: "
                "name one as model.attention, or leave input_feeding out"
            )
        if copying and attention is None:
            raise ConfigError(
                "copying says what a step attends to, and this decoder has no attention: "
                "name one as model.attention, or leave copying out"
            )
        width = embedding.width
        self.embedding = embedding
        self.output = output
        self.attention = attention or NoAttention()
        self.fed_width = width if input_feeding else 0
        self.dropout = Dropout(shape.dropout)
        self.recurrence = Recurrence(shape, width + self.fed_width)
        self.bridge = Bridge(memory_final, (shape.layers, self.recurrence.state_width))
        self.combine = nn.Linear(shape.hidden + self.attention.width, width)
        self.pointer = Pointer(width) if copying else None

    def forward(
        self, memory: Memory, tokens: Padded, *, at: Tensor | None = None, weights: bool = False
    ) -> Decoded:
        context = self.prepare(memory)
        embedded = self.dropout(self.embedding(tokens.values))
        if self.fed_width or self.attention.sequential:
            states, attention = self._one_by_one(context, embedded)
        else:
            states, attention = self._at_once(context, embedded)
        shown = attention if weights and self.attention.width else None
        copy_ids = context.copy_ids
        if at is not None:
            copy_ids = None if copy_ids is None else copy_ids.expand_as(attention)[at]
            states, attention = states[at], attention[at]
        return Decoded(self._logits(states, attention, copy_ids), shown)

    def compile(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Refuses.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError(NOT_COMPILED)

    def prepare(self, memory: Memory) -> RecurrentContext:
        copy_ids = None if self.pointer is None else to_copy(memory.copy_ids)[:, None]
        return RecurrentContext(self.bridge(memory.final), self.attention.prepare(memory), copy_ids)

    def start(self, context: RecurrentContext, hypotheses: int) -> RecurrentState:
        layers = context.layers[:, None].expand(-1, hypotheses, -1, -1)
        fed = layers.new_zeros(len(layers), hypotheses, self.fed_width)
        return RecurrentState(layers, fed, self.attention.start(context.keys, hypotheses))

    def step(
        self, context: RecurrentContext, state: RecurrentState, token: Tensor
    ) -> tuple[Tensor, RecurrentState]:
        states, weights, state = self._advance(context, state, self.dropout(self.embedding(token)))
        return self._logits(states, weights, context.copy_ids), state

    def _logits(self, states: Tensor, weights: Tensor, copy_ids: Tensor | None) -> Tensor:
        """Of states [.., D], given where each looked [.., S] and the tokens there, if any may be copied."""
        logits: Tensor = self.output(states)
        if self.pointer is not None and copy_ids is not None:
            logits = self.pointer(logits, states, weights, copy_ids)
        return logits

    def _advance(
        self, context: RecurrentContext, state: RecurrentState, embedded: Tensor
    ) -> tuple[Tensor, Tensor, RecurrentState]:
        """One position [B, K, D] further: what goes to the output layer, the weights, the next state."""
        read = torch.cat([embedded, state.fed], dim=-1).flatten(0, 1)  # [B·K, D]
        hidden, layers = self.recurrence.step(read, state.layers.flatten(0, 1))
        hidden = hidden.view(*embedded.shape[:2], -1)  # [B, K, H]
        states, weights, attention = self._combine(hidden, context.keys, state.attention)
        fed = states[..., : self.fed_width]
        return states, weights, RecurrentState(layers.view_as(state.layers), fed, attention)

    def _combine(self, hidden: Tensor, keys: Any, state: Any) -> tuple[Tensor, Tensor, Any]:
        """[B, K, H] to what goes to the output layer [B, K, D], the weights, the attention's next state."""
        context, weights, state = self.attention(hidden, keys, state)
        combined = torch.tanh(self.combine(torch.cat([hidden, context], dim=-1)))
        return self.dropout(combined), weights, state

    def _at_once(self, context: RecurrentContext, embedded: Tensor) -> tuple[Tensor, Tensor]:
        hidden, _ = self.recurrence(embedded, context.layers)
        start = self.attention.start(context.keys, hidden.shape[1])  # the U positions as hypotheses
        states, weights, _ = self._combine(hidden, context.keys, start)
        return states, weights

    def _one_by_one(self, context: RecurrentContext, embedded: Tensor) -> tuple[Tensor, Tensor]:
        state = self.start(context, 1)
        states, attention = [], []
        for position in range(embedded.shape[1]):
            last, weights, state = self._advance(context, state, embedded[:, position, None])
            states.append(last)
            attention.append(weights)
        return torch.cat(states, dim=1), torch.cat(attention, dim=1)
