"""The contract of a head: what turns a memory into a loss and into predictions."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from seqloom.batch import Batch, Loss, Memory, Padded, Progress
from seqloom.config import DecodeConfig
from seqloom.head import Head
from seqloom.testing.parts import PartContract
from seqloom.testing.samples import (
    LENGTHS,
    TOLERANCE,
    assert_close,
    cut,
    example,
    random_memory,
    random_tokens,
)
from seqloom.vocabulary import Vocabulary

TARGET_LENGTHS = (2, 1, 3, 1)  # of the targets: CTC needs a position of the memory for each
SPECIALS = 4


class HeadContract(PartContract):
    """What a head must do.

    Attributes:
        memory_width: D of the memory that it was built for.
        memory_final: (L, H) of its final state.
        vocabulary: Of token targets, which it was built for.
        decode: How to search; a short output is enough.
    """

    memory_width: int = 16
    memory_final: tuple[int, int] = (1, 16)
    vocabulary: Vocabulary = Vocabulary(size=11, pad=0, bos=1, eos=2, unk=3)
    decode: DecodeConfig = DecodeConfig(beam=2, n_best=2, max_length_factor=1, max_length_offset=3)

    @abstractmethod
    def build(self) -> Head[Any]: ...

    def targets(self) -> Padded:
        """The targets [B, U, *F] of a batch of 4; tokens with EOS last unless overridden."""
        tokens = random_tokens(TARGET_LENGTHS, self.vocabulary.size - SPECIALS, seed=3)
        values = tokens.values + SPECIALS
        last = torch.tensor(TARGET_LENGTHS)[:, None] - 1
        return tokens._replace(values=values.scatter(1, last, self.vocabulary.eos))

    def memory(self) -> Memory:
        """The sources of the contract's batch."""
        return random_memory(LENGTHS, self.memory_width, self.memory_final)

    def loss(self, part: Head[Any], row: int | None = None) -> Loss:
        """That of the whole batch, or of one of its examples alone."""
        memory, targets, ids = self.memory(), self.targets(), list(range(len(LENGTHS)))
        if row is not None:
            memory, targets, ids = cut(memory, row, LENGTHS[row]), example(targets, row), [row]
        batch = Batch(inputs={}, target=targets, references=[[] for _ in ids], ids=ids)
        found: Loss = part(memory, batch, Progress(step=0, epoch=0))
        return found

    def outputs(self, part: Head[Any]) -> Sequence[Tensor]:
        return (self.loss(part).total,)

    def test_a_loss_is_sums(self) -> None:
        loss = self.loss(self.seeded())
        assert loss.total.shape == ()
        assert loss.total.isfinite()
        assert loss.elements.shape == ()
        assert loss.elements > 0
        assert not loss.elements.is_floating_point()
        for name, part in loss.parts.items():
            assert part.shape == (), f"part {name} of the loss is no sum"
            assert not part.requires_grad, f"part {name} of the loss is not detached"

    def test_losses_of_examples_add_up_to_that_of_the_batch(self) -> None:
        head = self.seeded()
        whole = self.loss(head)
        alone = [self.loss(head, row) for row in range(len(LENGTHS))]
        assert_close(torch.stack([loss.total for loss in alone]).sum(), whole.total)
        assert sum(int(loss.elements) for loss in alone) == int(whole.elements)
        for name, part in whole.parts.items():
            assert_close(torch.stack([loss.parts[name] for loss in alone]).sum().float(), part.float())

    @torch.inference_mode()
    def test_predictions_are_one_list_a_source_best_first(self) -> None:
        head = self.seeded()
        head.check(self.decode)
        found = head.predict(self.memory(), self.decode)
        assert len(found) == len(LENGTHS)
        for predictions in found:
            scores = [prediction.score for prediction in predictions]
            assert 1 <= len(scores) <= self.decode.n_best
            assert scores == sorted(scores, reverse=True)

    @torch.inference_mode()
    def test_attention_is_of_the_same_predictions(self) -> None:
        head, memory = self.seeded(), self.memory()
        found = head.predict(memory, self.decode)
        attended = head.with_attention(memory, found)
        for before, after, length in zip(found, attended, LENGTHS, strict=True):
            for one, other in zip(before, after, strict=True):
                assert (other.tokens, other.score) == (one.tokens, one.score)
                weights = getattr(other, "attention", None)
                if weights is not None:
                    assert weights.shape == (len(one.tokens) + 1, length), "EOS looks somewhere, too"
                    assert_close(weights.sum(1), torch.ones(len(weights)))

    @torch.inference_mode()
    def test_a_source_alone_is_predicted_as_in_a_batch(self) -> None:
        head, memory = self.seeded(), self.memory()
        together = head.predict(memory, self.decode)
        for row, length in enumerate(LENGTHS):
            [alone] = head.predict(cut(memory, row, length), self.decode)
            assert [one.tokens for one in alone] == [one.tokens for one in together[row]]
            for one, other in zip(alone, together[row], strict=True):
                assert abs(one.score - other.score) <= TOLERANCE * max(1, abs(other.score))
