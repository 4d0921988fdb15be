from __future__ import annotations

import math
import random

import pytest
import torch

from seqloom.errors import DivergedError
from seqloom.search.greedy import greedy_search
from seqloom.search.scorer import Member

KEYS = [3.0, 14.0, 15.0, 92.0, 65.0, 35.0, 8.0, 97.0, 93.0]


def by_hand(kit, members, row, vocabulary, longest):
    """One token after another, each the best of all that may be written."""
    tokens: list[int] = []
    words = sorted(set(range(vocabulary.size)) - {vocabulary.pad, vocabulary.bos})
    while len(tokens) + 1 < longest:
        scored = [(kit.rescore(members, row, (*tokens, word), vocabulary)[-1], word) for word in words]
        word = max(scored)[1]
        if word == vocabulary.eos:
            break
        tokens.append(word)
    return tuple(tokens)


@pytest.mark.parametrize("alpha", [0.0, 0.6])
def test_it_writes_the_best_token_at_each_step(kit, alpha):
    vocabulary, members = kit.vocabulary(14), kit.prefix_members(14, KEYS, [3, 1, 4, 1, 5, 9, 2, 6, 5])
    options = kit.options(beam=1, max_length_factor=1, max_length_offset=4, length_penalty=alpha)
    for row, (output,) in enumerate(greedy_search(members, vocabulary, options)):
        longest = int(members[0].memory.lengths[row]) + 4
        assert output.tokens == by_hand(kit, members, row, vocabulary, longest)
        scores = kit.rescore(members, row, (*output.tokens, vocabulary.eos), vocabulary)
        assert output.token_scores == pytest.approx(scores, abs=1e-5)
        assert output.score == pytest.approx(sum(scores) / kit.penalty(len(scores), alpha), abs=1e-5)


@pytest.mark.parametrize("least", [2, 6])
def test_no_output_is_shorter_than_it_may_be_unless_it_must(kit, least):
    vocabulary, lengths = kit.vocabulary(14), [3, 1, 4, 1, 5, 9, 2, 6, 5]
    options = kit.options(beam=1, max_length_factor=1, max_length_offset=2)
    free, held = (
        greedy_search(kit.prefix_members(14, KEYS, lengths), vocabulary, options.model_copy(update=update))
        for update in ({}, {"min_length": least})
    )
    for (before,), (after,), length in zip(free, held, lengths, strict=True):
        assert len(after.tokens) >= min(least, length + 1)  # EOS is one of its tokens
        if len(before.tokens) >= least:
            assert after == before
        assert after.tokens[: len(before.tokens)] == before.tokens
    assert held != free


@pytest.mark.parametrize("seed", range(4))
def test_no_output_depends_on_the_other_rows(kit, seed):
    generator = random.Random(seed)
    rows = [(float(generator.randrange(1000)), generator.randint(1, 8)) for _ in range(20)]
    options = kit.options(beam=1, max_length_factor=2, max_length_offset=2)

    def search(some):
        return greedy_search(kit.prefix_members(9, *zip(*some, strict=True)), kit.vocabulary(9), options)

    alone = {row: search([row])[0] for row in rows}
    chosen = generator.sample(rows, generator.randint(2, len(rows)))
    assert search(chosen) == [alone[row] for row in chosen]


def test_each_source_has_its_own_limit(kit):
    vocabulary = kit.vocabulary(8)
    table = torch.zeros(8)
    table[vocabulary.eos] = -9.0
    table[vocabulary.pad] = table[vocabulary.bos] = 5.0  # never written all the same
    table = table.log_softmax(-1)
    members = [Member(kit.table_scorer(table), kit.memory_of([0.0] * 3, [2, 5, 0]))]
    found = greedy_search(members, vocabulary, kit.options(max_length_factor=1.5, max_length_offset=1))
    assert [output.tokens for (output,) in found] == [(2,) * 3, (2,) * 7, ()]  # of equals the lowest id
    assert found[2][0].token_scores == pytest.approx([table[vocabulary.eos].item()])


def test_a_tie_goes_to_eos(kit):
    members = [Member(kit.table_scorer(torch.full((7,), -math.log(7))), kit.memory_of([0.0]))]
    ((output,),) = greedy_search(members, kit.vocabulary(7), kit.options())
    assert output.tokens == ()


def test_members_of_an_ensemble_add_up_by_weight(kit):
    vocabulary = kit.vocabulary(9)
    members = [
        Member(kit.prefix_scorer(9), kit.memory_of(KEYS), 0.4),
        Member(kit.prefix_scorer(9, salt=0.5), kit.memory_of(KEYS[::-1]), 0.6),
    ]
    for row, (output,) in enumerate(greedy_search(members, vocabulary, kit.options(max_length_offset=7))):
        assert output.tokens == by_hand(kit, members, row, vocabulary, 7)


def test_done_sources_are_dropped(kit):
    members = kit.prefix_members(5, KEYS)
    greedy_search(members, kit.vocabulary(5), kit.options(max_length_offset=12))
    sizes = [size for size, _ in members[0].scorer.steps]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < sizes[0] == len(KEYS)


def test_no_sources_give_no_outputs(kit):
    assert greedy_search(kit.prefix_members(5, []), kit.vocabulary(5), kit.options()) == []


def test_scores_that_are_not_numbers_are_an_error(kit):
    members = [Member(kit.table_scorer(torch.full((6,), math.nan)), kit.memory_of([0.0, 1.0]))]
    with pytest.raises(DivergedError, match="no output a finite score"):
        greedy_search(members, kit.vocabulary(6), kit.options())
