"""The contracts of the parts of a network: encoders, attentions, decoders."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from seqloom.batch import Memory, Padded, tree_map
from seqloom.nn.attention import AnyAttention
from seqloom.nn.decoder import AnyDecoder
from seqloom.nn.encoder import Encoder
from seqloom.testing.samples import (
    LENGTHS,
    TARGET_LENGTHS,
    assert_close,
    assert_row,
    assert_weights,
    cut,
    example,
    random_memory,
    random_padded,
    random_tokens,
)


class NetworkContract(ABC):
    """What anything with weights must do: learn with all of them, be saved, run in bfloat16."""

    @abstractmethod
    def network(self) -> Any:
        """A new network with random weights."""

    @abstractmethod
    def outputs(self, part: Any) -> Sequence[Tensor]:
        """All that the network gives for some fixed input."""

    def seeded(self, seed: int = 1) -> Any:
        """A new network in evaluation mode; its weights depend on the seed."""
        torch.manual_seed(seed)
        return self.network().eval()

    def test_gradients_reach_every_parameter(self) -> None:
        part = self.seeded().train()
        if not list(part.parameters()):
            return
        torch.manual_seed(2)
        outputs = self.outputs(part)
        torch.autograd.backward(outputs, [torch.randn_like(output) for output in outputs])
        for name, parameter in part.named_parameters():
            assert parameter.grad is not None, f"no gradient reaches {name}"
            assert parameter.grad.any(), f"the gradient of {name} is zero"

    def test_what_is_loaded_is_what_was_saved(self, tmp_path: Path) -> None:
        saved, loaded = self.seeded(1), self.seeded(2)
        safetensors.torch.save_model(saved, str(tmp_path / "part.safetensors"))
        safetensors.torch.load_model(loaded, tmp_path / "part.safetensors")
        for before, after in zip(self.outputs(saved), self.outputs(loaded), strict=True):
            assert torch.equal(before, after)

    def test_bfloat16_is_finite(self) -> None:
        part = self.seeded()
        with torch.autocast("cpu", torch.bfloat16):
            assert all(output.isfinite().all() for output in self.outputs(part))


class PartContract(NetworkContract):
    """What any part of a network must do."""

    @abstractmethod
    def build(self) -> Any:
        """A new part with random weights."""

    def network(self) -> Any:
        return self.build()


class EncoderContract(PartContract):
    """What an encoder must do.

    Attributes:
        width: D of the features to read.
    """

    width: int = 16

    @abstractmethod
    def build(self) -> Encoder: ...

    def outputs(self, part: Encoder) -> Sequence[Tensor]:
        memory = part(random_padded(LENGTHS, self.width))
        return memory.values, memory.final

    def test_shapes_are_those_announced(self) -> None:
        encoder, features = self.seeded(), random_padded(LENGTHS, self.width)
        memory = encoder(features)
        assert memory.values.shape == (len(LENGTHS), memory.values.shape[1], encoder.width)
        assert memory.final.shape == (len(LENGTHS), *encoder.final_shape)
        assert memory.lengths.dtype == torch.int64
        assert 1 <= memory.lengths.min() <= memory.lengths.max() <= memory.values.shape[1]

    def test_positions_stand_for_as_many_features_as_announced(self) -> None:
        encoder, features = self.seeded(), random_padded(LENGTHS, self.width)
        assert torch.equal(encoder(features).lengths, -(-features.lengths // encoder.stride))

    def test_lengths_follow_from_lengths(self) -> None:
        encoder, features = self.seeded(), random_padded(LENGTHS, self.width)
        other = encoder(features._replace(values=features.values + 1)).lengths
        assert torch.equal(encoder(features).lengths, other)

    def test_an_example_alone_is_as_in_a_batch(self) -> None:
        encoder, features = self.seeded(), random_padded(LENGTHS, self.width)
        batch = encoder(features)
        for row in range(len(LENGTHS)):
            alone = encoder(example(features, row))
            assert_row(alone, batch, row)
            assert_close(alone.final[0], batch.final[row])


class AttentionContract(PartContract):
    """What an attention must do.

    Attributes:
        query_width: Q of the queries that it was built for.
        memory_width: D of the memory that it was built for.
    """

    query_width: int = 12
    memory_width: int = 16

    @abstractmethod
    def build(self) -> AnyAttention: ...

    def sources(self) -> tuple[Memory, Tensor]:
        """The contract's memory and queries [B, 3, Q]."""
        queries = random_padded((3,) * len(LENGTHS), self.query_width).values
        return random_memory(LENGTHS, self.memory_width), queries

    def outputs(self, part: AnyAttention) -> Sequence[Tensor]:
        return self.attend(part, *self.sources())

    def attend(self, part: AnyAttention, memory: Memory, queries: Tensor) -> tuple[Tensor, Tensor]:
        """Contexts and weights of the second look, so that the first one's state has its say."""
        keys = part.prepare(memory)
        _, _, state = part(queries, keys, part.start(keys, queries.shape[1]))
        contexts, weights, _ = part(queries, keys, state)
        return contexts, weights

    def test_shapes_are_those_announced(self) -> None:
        part = self.seeded()
        contexts, weights = self.outputs(part)
        assert contexts.shape == (len(LENGTHS), 3, part.width)
        assert weights.shape == (len(LENGTHS), 3, max(LENGTHS))

    def test_weights_are_a_distribution_over_real_positions(self) -> None:
        assert_weights(self.outputs(self.seeded())[1])

    def test_an_example_alone_is_as_in_a_batch(self) -> None:
        part, (memory, queries) = self.seeded(), self.sources()
        contexts, weights = self.attend(part, memory, queries)
        for row, length in enumerate(LENGTHS):
            context, weight = self.attend(part, cut(memory, row, length), queries[row : row + 1])
            assert_close(context[0], contexts[row])
            assert_close(weight[0], weights[row, :, :length])

    def test_hypotheses_do_not_see_each_other(self) -> None:
        part, (memory, queries) = self.seeded(), self.sources()
        together, _ = self.attend(part, memory, queries)
        alone, _ = self.attend(part, memory, queries[:, 1:2])
        assert_close(alone, together[:, 1:2])


class DecoderContract(PartContract):
    """What a decoder must do.

    Attributes:
        memory_width: D of the memory that it was built for.
        memory_final: (L, H) of its final state.
        vocabulary_size: V of its logits; any id may be read.
    """

    memory_width: int = 16
    memory_final: tuple[int, int] = (1, 16)
    vocabulary_size: int = 11

    @abstractmethod
    def build(self) -> AnyDecoder: ...

    def memory(self) -> Memory:
        """The sources of the contract's batch."""
        return random_memory(LENGTHS, self.memory_width, self.memory_final)

    def tokens(self, seed: int = 3) -> Padded:
        """The targets of the contract's batch."""
        return random_tokens(TARGET_LENGTHS, self.vocabulary_size, seed)

    def outputs(self, part: AnyDecoder) -> Sequence[Tensor]:
        whole = part(self.memory(), self.tokens()).logits
        return whole, self.write(part, self.tokens().values[:, None])

    def write(self, part: AnyDecoder, tokens: Tensor) -> Tensor:
        """Logits [B, K, U, V] of hypotheses [B, K, U], step by step."""
        context = part.prepare(self.memory())
        state, logits = part.start(context, tokens.shape[1]), []
        for token in tokens.unbind(2):
            last, state = part.step(context, state, token)
            logits.append(last)
        return torch.stack(logits, dim=2)

    def test_steps_are_as_the_whole(self) -> None:
        part, targets = self.seeded(), [self.tokens(seed) for seed in (3, 4)]
        written = self.write(part, torch.stack([target.values for target in targets], dim=1))
        assert written.shape[3] == self.vocabulary_size
        for hypothesis, target in enumerate(targets):
            assert_close(written[:, hypothesis], part(self.memory(), target).logits)

    def test_an_example_alone_is_as_in_a_batch(self) -> None:
        part, memory, tokens = self.seeded(), self.memory(), self.tokens()
        batch = part(memory, tokens).logits
        for row, (length, size) in enumerate(zip(LENGTHS, TARGET_LENGTHS, strict=True)):
            alone = part(cut(memory, row, length), example(tokens, row)).logits
            assert_close(alone[0], batch[row, :size])

    def test_positions_to_predict_are_rows_of_the_whole(self) -> None:
        part, memory, tokens = self.seeded(), self.memory(), self.tokens()
        at = tokens.mask()
        assert_close(part(memory, tokens, at=at).logits, part(memory, tokens).logits[at])

    def test_attention_is_a_distribution_over_real_positions(self) -> None:
        part, memory, tokens = self.seeded(), self.memory(), self.tokens()
        plain, decoded = part(memory, tokens), part(memory, tokens, weights=True)
        assert plain.attention is None
        assert_close(plain.logits, decoded.logits)
        if decoded.attention is not None:
            assert decoded.attention.shape[1] == tokens.values.shape[1]
            assert_weights(decoded.attention)

    def test_a_search_may_gather_and_drop(self) -> None:
        part = self.seeded()
        tokens = torch.stack([self.tokens(seed).values for seed in (3, 4, 5)], dim=1)  # [B, K, U]
        kept, chosen = torch.tensor([3, 1]), torch.tensor([2, 0])  # along B and K
        context = part.prepare(self.memory())
        state = part.start(context, 3)
        for token in tokens[..., :-1].unbind(2):
            _, state = part.step(context, state, token)
        context = tree_map(lambda leaf: leaf[kept], context)
        state = tree_map(lambda leaf: leaf[kept][:, chosen], state)
        logits, _ = part.step(context, state, tokens[kept][:, chosen][..., -1])
        assert_close(logits, self.write(part, tokens)[kept][:, chosen, -1])
