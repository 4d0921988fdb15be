"""What the recurrent encoder and decoder are made of: layers with one state, and a bridge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seqloom.batch import Padded
from seqloom.nn.dropout import Dropout

SURE: Final = 1e4
"""What a gate is given to be open or, negative, shut: its sigmoid is 1 or 0 to the last bit."""


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

    def forward(self, values: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Reads [B, T, D] from a state on (zeros if None); gives what it made of it and the last state."""
        dtype = self.layers.all_weights[0][0].dtype
        begin = None if state is None else self._split(state.to(dtype))
        with torch.autocast("cpu", enabled=False):  # a CPU has no recurrent kernels of mixed precision
            read, end = self.layers(values.to(dtype), begin)
        return read, self._join(end)

    def read(self, features: Padded) -> tuple[Tensor, Tensor]:
        """Reads sequences [B, T, D], each of at least one position, from zeros on.

        Returns:
            What it made of them, anything on padding, and the state after each one's last position.
        """
        values = features.values.to(self.layers.all_weights[0][0].dtype)
        if values.device.type == "cpu":
            with torch.autocast("cpu", enabled=False):
                return self._held(features._replace(values=values))
        # Packing wants the lengths on the CPU: the one moment where the encoder waits for a GPU.
        packed = pack_padded_sequence(
            values, features.lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        packed, end = self.layers(packed)
        read, _ = pad_packed_sequence(packed, batch_first=True, total_length=values.shape[1])
        return read, self._join(end)

    def _held(self, features: Padded) -> tuple[Tensor, Tensor]:
        """What :meth:`read` gives, with gates that hold a state through padding.

        A CPU's kernel for packed sequences goes through all of them in each position of the way back;
        that for tensors does not, but knows no lengths.
        """
        values, last = features.values, (features.lengths - 1)[:, None, None]
        padding = (~features.mask())[..., None].to(values.dtype)
        states = []
        for layer in range(self.layers.num_layers):
            values = values if layer == 0 else self.dropout(values)
            values, *cells = self._layer(layer, torch.cat([values, padding], -1))
            ahead, *back = values.chunk(self.directions, -1)
            outputs = [
                ahead.gather(1, last.expand(-1, -1, ahead.shape[-1])),
                *(each[:, :1] for each in back),
            ]
            states.append(torch.cat([each.squeeze(1) for each in outputs] + cells, -1))
        return values, torch.stack(states, 1)

    def _layer(self, layer: int, values: Tensor) -> list[Tensor]:
        """One layer over [B, T, D + 1], the last feature one on padding: outputs; an LSTM's cells."""
        weights = []
        for inner, *others in self.layers.all_weights[layer * self.directions :][: self.directions]:
            gates = inner.new_zeros(len(inner) // self.layers.hidden_size, self.layers.hidden_size)
            gates[1] = SURE  # an LSTM's forget gate, a GRU's update gate
            if self.parts == 2:
                gates[0] = -SURE  # an LSTM's input gate
            weights += [torch.cat([inner, gates.view(-1, 1)], 1), *others]
        begin = values.new_zeros(self.directions, len(values), self.layers.hidden_size)
        how = (True, 1, 0.0, self.training, self.directions == 2, True)
        if self.parts == 2:
            read, _, cells = torch.lstm(values, (begin, begin), weights, *how)
            return [read, *cells]
        return [torch.gru(values, begin, weights, *how)[0]]

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
