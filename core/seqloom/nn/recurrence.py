"""What the recurrent encoder and decoder are made of: layers with one state, and a bridge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from seqloom.nn.dropout import Dropout

SequenceT = TypeVar("SequenceT", Tensor, PackedSequence)


@dataclass(frozen=True, kw_only=True)
class RecurrentShape:
    """How recurrent layers are made.

    Attributes:
        cell: LSTM (Hochreiter and Schmidhuber 1997) or GRU (Cho et al. 2014).
        layers: How many layers.
        hidden: Width of the state in each direction.
        dropout: Of inputs, between layers and of a decoder's outputs.
    """

    cell: Literal["lstm", "gru"] = "lstm"
    layers: int = 2
    hidden: int = 512
    dropout: float = 0.2


class Recurrence(nn.Module):
    """LSTM or GRU layers with their state in one tensor.

    Attributes:
        width: D of what it returns: ``hidden`` for each direction.
        state_width: H of its state [B, L, H]: (h, c) of an LSTM, h of a GRU, each with the directions side
            by side.

    Args:
        shape: How they are made; dropout acts between layers only.
        width: D of what it reads.
        bidirectional: Whether to read from both ends.
    """

    def __init__(self, shape: RecurrentShape, width: int, *, bidirectional: bool = False) -> None:
        super().__init__()
        kind = nn.LSTM if shape.cell == "lstm" else nn.GRU
        self.layers = kind(
            width,
            shape.hidden,
            shape.layers,
            batch_first=True,
            dropout=shape.dropout if shape.layers > 1 else 0.0,
            bidirectional=bidirectional,
        )
        self.dropout = Dropout(shape.dropout)
        self.parts = 2 if shape.cell == "lstm" else 1
        self.directions = 2 if bidirectional else 1
        self.width = self.directions * shape.hidden
        self.state_width = self.parts * self.width

    def forward(self, values: SequenceT, state: Tensor | None = None) -> tuple[SequenceT, Tensor]:
        """Reads [B, T, D] from a state on (zeros if None); gives what it made of it and the last state."""
        dtype = self.layers.all_weights[0][0].dtype
        begin = None if state is None else self._split(state.to(dtype))
        with torch.autocast("cpu", enabled=False):  # a CPU has no recurrent kernels of mixed precision
            read, end = self.layers(values.to(dtype), begin)
        return read, self._join(end)

    def step(self, values: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Reads one position [B, D] from a state on, as :meth:`forward` would; for one direction only.

        Single cells: the kernels for whole sequences first rearrange all weights on a CPU, which takes
        longer than the step itself.
        """
        weights = self.layers.all_weights
        dtype = weights[0][0].dtype
        values, state, states = values.to(dtype), state.to(dtype), []
        with torch.autocast("cpu", enabled=False):
            for layer, own in enumerate(weights):
                values = values if layer == 0 else self.dropout(values)
                if self.parts == 2:
                    parts = torch.lstm_cell(values, state[:, layer].chunk(2, dim=-1), *own)
                    values, last = parts[0], torch.cat(parts, dim=-1)
                else:
                    values = last = torch.gru_cell(values, state[:, layer], *own)
                states.append(last)
        return values, torch.stack(states, dim=1)

    def _split(self, state: Tensor) -> Tensor | tuple[Tensor, ...]:
        """[B, L, H] to what torch wants: h, or (h, c), each [L·directions, B, hidden]."""
        batch, layers, _ = state.shape
        apart = state.reshape(batch, layers, self.parts, self.directions, -1)
        parts = apart.permute(2, 1, 3, 0, 4).flatten(1, 2).contiguous()
        return parts.unbind(0) if self.parts == 2 else parts[0]

    def _join(self, state: Tensor | tuple[Tensor, ...]) -> Tensor:
        """The way back."""
        parts = torch.stack(state if isinstance(state, tuple) else (state,))
        batch, hidden = parts.shape[2:]
        apart = parts.view(self.parts, -1, self.directions, batch, hidden)
        return apart.permute(3, 1, 0, 2, 4).flatten(2)


class Bridge(nn.Module):
    """From the final state of a memory to the state that a decoder begins with: tanh(W m + b) a layer.

    Layers are matched from the top. Where the memory has more, its lower ones go unread; where it has
    fewer, its lowest serves the decoder's lower layers.

    Args:
        memory: (L, H) of the memory's final state.
        state: (L, H) of the decoder's.
    """

    def __init__(self, memory: tuple[int, int], state: tuple[int, int]) -> None:
        super().__init__()
        layers, width = state
        self.read = [max(layer + memory[0] - layers, 0) for layer in range(layers)]
        self.layers = nn.ModuleList(nn.Linear(memory[1], width) for _ in range(layers))

    def forward(self, final: Tensor) -> Tensor:
        """[B, L, H] of the memory to [B, L, H] of the decoder."""
        made = [layer(final[:, read]) for layer, read in zip(self.layers, self.read, strict=True)]
        return torch.stack(made, dim=1).tanh()
