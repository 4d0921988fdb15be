"""The core's own heads, tokenizers and metrics keep their contracts."""

from __future__ import annotations

from typing import Any

import pytest

from seqloom import builtin
from seqloom.hooks import HeadParts
from seqloom.nn.attention import DotAttention
from seqloom.nn.embedding import TokenEmbedding, free_projection
from seqloom.nn.recurrence import RecurrentShape
from seqloom.nn.recurrent import RecurrentDecoder
from seqloom.testing import HeadContract, MetricContract, TokenizerContract


def head(name: str, **options: Any) -> Any:
    [spec] = [spec for spec in builtin.seqloom_heads() if spec.name == name]
    vocabulary = HeadContract.vocabulary
    embedding = TokenEmbedding(vocabulary.size, 10, pad_id=0)
    shape = RecurrentShape(layers=1, hidden=12, dropout=0.0)
    output = free_projection(10, vocabulary.size)
    decoder = RecurrentDecoder(embedding, output, DotAttention(12, 16), (1, 16), shape)
    parts = HeadParts(
        memory_width=16,
        memory_final=(1, 16),
        decoder=decoder if spec.takes_decoder else None,
        vocabulary=vocabulary,
    )
    return spec.load()(spec.options(**options), parts)


class TestSequenceHead(HeadContract):
    def build(self) -> Any:
        return head("sequence")


class TestSequenceHeadWithCtc(HeadContract):
    def build(self) -> Any:
        return head("sequence", ctc=0.3, coverage=0.5)


class TestCtcHead(HeadContract):
    def build(self) -> Any:
        return head("ctc")


@pytest.mark.parametrize("spec", builtin.seqloom_tokenizers(), ids=lambda spec: str(spec.name))
@pytest.mark.parametrize("test", [name for name in dir(TokenizerContract) if name.startswith("test_")])
def test_a_tokenizer_keeps_the_contract(spec: Any, test: str, kept: Any) -> None:
    kept(TokenizerContract, test, build=lambda self: spec.load()(spec.options()))


@pytest.mark.parametrize("spec", builtin.seqloom_metrics(), ids=lambda spec: str(spec.name))
@pytest.mark.parametrize("test", [name for name in dir(MetricContract) if name.startswith("test_")])
def test_a_metric_keeps_the_contract(spec: Any, test: str, kept: Any) -> None:
    build, up = spec.load(), spec.higher_is_better
    kept(MetricContract, test, build=lambda self: build(spec.options()), higher_is_better=up)
