from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from seqloom.batch import Memory
from seqloom.config import DecodeConfig
from seqloom.search.scorer import Member, Scorer
from seqloom.vocabulary import Vocabulary


class PrefixState(NamedTuple):
    """A pytree on purpose: the search must gather every tensor of it and leave the rest alone."""

    code: dict[str, Tensor]  # [B, K] int64, stands for the whole prefix
    constant: Tensor  # [B, K, 2], expanded: never to be written to
    position: int


def next_code(code: Any, token: Any) -> Any:
    return (code * 31 + token + 7) % 100_003


class PrefixScorer(Scorer[Tensor, PrefixState]):
    """Log-probabilities that depend on the source and on the whole prefix, so that a wrong gather shows."""

    def __init__(self, size: int, salt: float = 0.0, dtype: torch.dtype = torch.float32) -> None:
        self.size, self.salt, self.dtype = size, salt, dtype
        self.steps: list[tuple[int, ...]] = []  # shapes [B, K] that were asked for
        self.gathers = 0
        self.last: Tensor | None = None

    def prepare(self, memory: Memory) -> Tensor:
        return memory.values[:, 0, 0]

    def start(self, context: Tensor, hypotheses: int) -> PrefixState:
        key = context.long()[:, None].repeat(1, hypotheses)
        constant = torch.ones(1, 1, 2).expand(len(context), hypotheses, 2)
        return PrefixState({"code": key}, constant, 0)

    def score(
        self, context: Tensor, state: PrefixState, token: Tensor, candidates: Tensor | None = None
    ) -> tuple[Tensor, PrefixState]:
        assert state.constant.shape == (*token.shape, 2)
        assert len(context) == len(token)
        assert (state.constant == 1).all()
        assert state.position == len(self.steps)
        self.gathers += self.last is not None and state.code["code"] is not self.last
        self.steps.append(tuple(token.shape))
        self.last = code = next_code(state.code["code"], token)
        scores = self.log_probs(code, context[:, None])
        return scores, PrefixState({"code": code}, state.constant, state.position + 1)

    def log_probs(self, code: Tensor, key: Tensor) -> Tensor:
        """[..] to [.., V]."""
        phase = code.double()[..., None] * 0.77 + key.double()[..., None] + self.salt
        logits = 2 * torch.sin(phase * (1 + torch.arange(self.size, dtype=torch.float64)))
        return logits.log_softmax(-1).to(self.dtype)


class TableScorer(Scorer[Tensor, tuple[()]]):
    """The same log-probabilities [V] wherever asked, or those of the token before: [V, V]."""

    def __init__(self, table: Tensor) -> None:
        self.table = table

    def prepare(self, memory: Memory) -> Tensor:
        return memory.values

    def start(self, context: Tensor, hypotheses: int) -> tuple[()]:
        return ()

    def score(
        self, context: Tensor, state: tuple[()], token: Tensor, candidates: Tensor | None = None
    ) -> tuple[Tensor, tuple[()]]:
        table = self.table.expand(len(self.table) if self.table.dim() == 2 else self.table.shape[-1], -1)
        return table[token], ()


def memory_of(keys: Sequence[float], lengths: Sequence[int] | None = None) -> Memory:
    """Sources that differ in their first value, and maybe in their lengths."""
    lengths = lengths or [1] * len(keys)
    values = torch.zeros(len(keys), max(lengths, default=1), 1)
    values[:, 0, 0] = torch.tensor(keys)
    return Memory(values, torch.tensor(lengths, dtype=torch.int64), values[:, :1])


@dataclass(frozen=True)
class Kit:
    """What tests of searches share."""

    prefix_scorer: Callable[..., PrefixScorer] = PrefixScorer
    table_scorer: Callable[[Tensor], TableScorer] = TableScorer
    memory_of: Callable[..., Memory] = memory_of

    def vocabulary(self, size: int) -> Vocabulary:
        return Vocabulary(size, pad=1, bos=0, eos=3, unk=2)  # not in the order that ids usually have

    def prefix_members(
        self, size: int, keys: Sequence[float], lengths: Sequence[int] | None = None
    ) -> list[Member]:
        return [Member(PrefixScorer(size), memory_of(keys, lengths))]

    def options(self, **values: Any) -> DecodeConfig:
        return DecodeConfig.model_validate({"max_length_factor": 0, **values})

    def all_outputs(
        self, members: list[Member], row: int, vocabulary: Vocabulary, longest: int
    ) -> list[Any]:
        """(sum of log-probabilities, tokens) of every output of at most ``longest`` tokens with EOS."""
        words = sorted(set(range(vocabulary.size)) - {vocabulary.pad, vocabulary.bos, vocabulary.eos})
        return [
            (sum(self.rescore(members, row, (*tokens, vocabulary.eos), vocabulary)), tokens)
            for length in range(longest)
            for tokens in itertools.product(words, repeat=length)
        ]

    def rescore(
        self, members: list[Member], row: int, tokens: Sequence[int], vocabulary: Vocabulary
    ) -> list[float]:
        """Each token's log-probability after those before it, without any search."""
        total = [0.0] * len(tokens)
        for scorer, memory, weight in members:
            assert isinstance(scorer, PrefixScorer)
            key = memory.values[row, 0, 0]
            code = int(key)
            for i, (before, token) in enumerate(itertools.pairwise((vocabulary.bos, *tokens))):
                code = next_code(code, before)
                total[i] += weight * scorer.log_probs(torch.tensor(code), key)[token].item()
        return total

    def penalty(self, length: int, alpha: float) -> float:
        return math.pow((5 + length) / 6, alpha)


@pytest.fixture(scope="session")
def kit() -> Kit:
    return Kit()
