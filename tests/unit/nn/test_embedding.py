from __future__ import annotations

import torch

from seqloom.nn.embedding import TiedProjection, TokenEmbedding, free_projection


def embedding(size: int = 500, width: int = 64) -> TokenEmbedding:
    torch.manual_seed(1)
    return TokenEmbedding(size, width, pad_id=3)


def test_vectors_begin_with_unit_variance():
    table = embedding()
    vectors = table(torch.arange(4, 500))
    assert 0.97 < vectors.std() < 1.03
    torch.testing.assert_close(vectors[0], table.weight[4] * 8)


def test_the_pad_row_is_zero_and_stays_so():
    table = embedding()
    table(torch.tensor([[3, 5]])).sum().backward()
    assert not table(torch.tensor([3])).any()
    assert not table.weight.grad[3].any()
    assert table.weight.grad[5].all()


def test_a_tied_projection_is_the_embeddings_table():
    table = embedding()
    projection = TiedProjection(table)
    states = torch.randn(2, 64)
    torch.testing.assert_close(projection(states), states @ table.weight.T)
    assert sum(parameter.numel() for parameter in projection.parameters()) == 500 * 64 + 500


def test_a_free_projection_begins_with_unit_variance():
    torch.manual_seed(1)
    logits = free_projection(64, 500)(torch.randn(40, 64))
    assert 0.9 < logits.std() < 1.1
