from __future__ import annotations

import math
import random

import pytest
import torch

from seqloom.errors import DivergedError
from seqloom.search.beam import beam_search
from seqloom.search.greedy import greedy_search
from seqloom.search.scorer import Member

KEYS = [3.0, 14.0, 15.0, 92.0, 65.0, 35.0, 8.0, 97.0, 93.0]


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.5])
@pytest.mark.parametrize(("size", "longest", "width"), [(5, 4, 12), (6, 3, 12), (5, 1, 1), (4, 4, 4)])
def test_a_full_width_beam_is_exhaustive_search(kit, size, longest, width, alpha):
    vocabulary, members = kit.vocabulary(size), kit.prefix_members(size, KEYS)
    options = kit.options(beam=width, n_best=width, length_penalty=alpha, max_length_offset=longest)
    found = beam_search(members, vocabulary, options)
    for row, outputs in enumerate(found):
        scored = [
            (total / kit.penalty(len(tokens) + 1, alpha), tokens)
            for total, tokens in kit.all_outputs(members, row, vocabulary, longest)
        ]
        best = sorted(scored, reverse=True)[:width]
        assert [output.tokens for output in outputs] == [tokens for _, tokens in best]
        assert [output.score for output in outputs] == pytest.approx([score for score, _ in best])


@pytest.mark.parametrize(("least", "longest"), [(1, 4), (2, 4), (3, 4), (7, 4)])
def test_a_full_width_beam_finds_the_best_of_those_that_are_long_enough(kit, least, longest):
    vocabulary, members = kit.vocabulary(5), kit.prefix_members(5, KEYS)
    options = kit.options(beam=15, n_best=4, min_length=least, max_length_offset=longest)
    for row, outputs in enumerate(beam_search(members, vocabulary, options)):
        scored = [
            (total / kit.penalty(len(tokens) + 1, 0.6), tokens)
            for total, tokens in kit.all_outputs(members, row, vocabulary, longest)
            if len(tokens) >= min(least, longest - 1)
        ]
        best = sorted(scored, reverse=True)[:4]
        assert [output.tokens for output in outputs] == [tokens for _, tokens in best]
        assert [output.score for output in outputs] == pytest.approx([score for score, _ in best])


@pytest.mark.parametrize("alpha", [0.0, 0.6, 2.0])
def test_a_beam_of_one_is_greedy_search(kit, alpha):
    lengths = [3, 1, 4, 1, 5, 9, 2, 6, 5]
    options = kit.options(beam=1, length_penalty=alpha, max_length_factor=2, max_length_offset=3)
    vocabulary = kit.vocabulary(30)
    beam = beam_search(kit.prefix_members(30, KEYS, lengths), vocabulary, options)
    assert beam == greedy_search(kit.prefix_members(30, KEYS, lengths), vocabulary, options)
    assert len({len(output.tokens) for (output,) in beam}) > 3  # they end at different steps


@pytest.mark.parametrize("width", [2, 4, 7])
def test_outputs_are_unique_sorted_and_scored_by_their_own_prefix(kit, width):
    members, vocabulary = kit.prefix_members(12, KEYS), kit.vocabulary(12)
    options = kit.options(beam=width, n_best=width, max_length_offset=9)
    for row, outputs in enumerate(beam_search(members, vocabulary, options)):
        assert len(outputs) == width == len({output.tokens for output in outputs})
        assert [o.score for o in outputs] == sorted((o.score for o in outputs), reverse=True)
        for output in outputs:
            assert not {vocabulary.pad, vocabulary.bos, vocabulary.eos} & set(output.tokens)
            expected = kit.rescore(members, row, (*output.tokens, vocabulary.eos), vocabulary)
            assert output.token_scores == pytest.approx(expected, abs=1e-5)
            assert output.score == pytest.approx(sum(expected) / kit.penalty(len(expected), 0.6), abs=1e-5)


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.5])
def test_fewer_n_best_are_the_first_of_more(kit, alpha):
    vocabulary = kit.vocabulary(9)
    options = kit.options(beam=5, n_best=5, length_penalty=alpha, max_length_offset=12)
    more = beam_search(kit.prefix_members(9, KEYS), vocabulary, options)
    for count in (1, 2, 4):
        fewer = beam_search(
            kit.prefix_members(9, KEYS), vocabulary, options.model_copy(update={"n_best": count})
        )
        assert fewer == [outputs[:count] for outputs in more]


def test_it_stops_once_nothing_can_win(kit):
    vocabulary = kit.vocabulary(6)
    table = torch.tensor([-30.0, -30.0, -4.0, -0.1, -5.0, -6.0]).log_softmax(-1)  # EOS at once is best
    options = kit.options(beam=4, n_best=1, length_penalty=0.0, max_length_offset=50)
    scorer = kit.prefix_scorer(6)
    scorer.log_probs = lambda code, key: table.expand(*code.shape, -1).clone()
    ((output,),) = beam_search([Member(scorer, kit.memory_of([1.0]))], vocabulary, options)
    assert output.tokens == ()
    assert len(scorer.steps) == 1


def test_it_goes_on_while_something_may_win(kit):
    # Ending at once has the better sum, but this length penalty prefers the longer output.
    vocabulary = kit.vocabulary(5)
    probabilities = torch.full((5, 5), 1e-6)
    probabilities[vocabulary.bos, vocabulary.eos], probabilities[vocabulary.bos, 4] = 0.55, 0.45
    probabilities[4] = torch.tensor([1e-6, 1e-6, 0.35, 0.05, 0.6])
    members = [Member(kit.table_scorer(probabilities.log()), kit.memory_of([1.0]))]
    options = kit.options(beam=2, n_best=1, length_penalty=4.0, max_length_offset=6)
    ((output,),) = beam_search(members, vocabulary, options)
    assert output.tokens == (4,) * 5


@pytest.mark.parametrize("seed", range(6))
def test_no_output_depends_on_the_other_rows(kit, seed):
    generator = random.Random(seed)
    rows = [(float(generator.randrange(1000)), generator.randint(1, 8)) for _ in range(14)]
    options = kit.options(beam=4, n_best=3, max_length_factor=1.5, max_length_offset=2)
    vocabulary = kit.vocabulary(11)

    def search(some):
        return beam_search(kit.prefix_members(11, *zip(*some, strict=True)), vocabulary, options)

    alone = {row: search([row])[0] for row in rows}
    chosen = generator.sample(rows, generator.randint(2, len(rows)))
    assert search(chosen) == [alone[row] for row in chosen]


def test_each_source_has_its_own_limit(kit):
    vocabulary = kit.vocabulary(8)
    table = torch.zeros(8)
    table[vocabulary.eos] = -9.0  # nobody wants to end
    lengths = [1, 5, 2, 0]
    members = [Member(kit.table_scorer(table.log_softmax(-1)), kit.memory_of([0.0] * 4, lengths))]
    options = kit.options(beam=3, max_length_factor=1.5, max_length_offset=2, length_penalty=3.0)
    found = beam_search(members, vocabulary, options)
    assert [len(outputs[0].token_scores) for outputs in found] == [3, 9, 5, 2]  # EOS counted
    assert found[0][0].token_scores[-1] == pytest.approx(table.log_softmax(-1)[vocabulary.eos].item())


@pytest.mark.parametrize("size", [7, 13, 40])
def test_ties_go_to_eos_then_the_better_hypothesis_then_the_lower_id(kit, size):
    vocabulary = kit.vocabulary(size)
    members = [Member(kit.table_scorer(torch.full((size,), -math.log(size))), kit.memory_of([0.0]))]
    width = size - 3  # each word fits
    options = kit.options(beam=width, n_best=width, length_penalty=0.0, max_length_offset=2)
    (outputs,) = beam_search(members, vocabulary, options)
    assert [output.tokens for output in outputs] == [(), (2,), *((word,) for word in range(4, size - 1))]


def test_a_source_with_as_many_outputs_as_the_beam_is_wide_is_done(kit):
    vocabulary = kit.vocabulary(5)
    table = torch.tensor([1e-9, 1e-9, 1e-3, 0.4, 0.6]).log()  # the longer, the better by far
    members = [Member(kit.table_scorer(table), kit.memory_of([1.0]))]
    options = kit.options(beam=2, n_best=2, length_penalty=9.0, max_length_offset=30)
    (outputs,) = beam_search(members, vocabulary, options)
    assert [output.tokens for output in outputs] == [(4,), ()]


@pytest.mark.parametrize("weights", [(1.0, 1.0), (0.3, 0.7), (1.0, 0.25)])
def test_members_of_an_ensemble_add_up_by_weight(kit, weights):
    vocabulary = kit.vocabulary(5)
    scorers = [kit.prefix_scorer(5, salt=0.0), kit.prefix_scorer(5, salt=0.5)]
    memories = [kit.memory_of(KEYS), kit.memory_of(KEYS[::-1])]  # each looks at its own
    members = [Member(*parts) for parts in zip(scorers, memories, weights, strict=True)]
    options = kit.options(beam=12, length_penalty=0.0, max_length_offset=4)
    found = beam_search(members, vocabulary, options)
    for row, (output,) in enumerate(found):
        total, tokens = max(kit.all_outputs(members, row, vocabulary, 4))
        assert output.tokens == tokens
        assert output.score == pytest.approx(total)


def test_done_sources_are_dropped_and_widths_grow_from_one(kit):
    members = kit.prefix_members(6, KEYS)
    beam_search(members, kit.vocabulary(6), kit.options(beam=5, max_length_offset=12))
    steps = members[0].scorer.steps
    sizes = [size for size, _ in steps]
    assert steps[0] == (len(KEYS), 1)
    assert {width for _, width in steps[1:]} == {5}
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < sizes[0]


def test_states_stay_where_they_are_while_no_hypothesis_moves(kit):
    scorer = kit.prefix_scorer(5)
    # Each hypothesis goes on with its own token: after the first step nothing moves.
    own = torch.full((5, 5), -20.0).fill_diagonal_(0.0)
    own[0, 2], own[0, 4] = 0.0, -0.1
    scores = own.log_softmax(-1)

    def score(context, state, token, candidates=None):
        scorer.log_probs = lambda code, key: scores[token]
        return type(scorer).score(scorer, context, state, token)

    scorer.score = score
    members = [Member(scorer, kit.memory_of([1.0]))]
    beam_search(members, kit.vocabulary(5), kit.options(beam=2, n_best=2, max_length_offset=6))
    assert len(scorer.steps) == 6
    assert scorer.gathers == 1  # from one hypothesis to two


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_scores_come_in_any_float(kit, dtype):
    vocabulary = kit.vocabulary(8)
    members = [Member(kit.prefix_scorer(8, dtype=dtype), kit.memory_of(KEYS[:3]))]
    found = beam_search(members, vocabulary, kit.options(beam=3, max_length_offset=5))
    for row, (output,) in enumerate(found):
        expected = kit.rescore(members, row, (*output.tokens, vocabulary.eos), vocabulary)
        assert output.token_scores == pytest.approx(expected, abs=1e-12)


def test_a_width_that_the_vocabulary_cannot_fill_gives_what_there_is(kit):
    options = kit.options(beam=9, n_best=9, max_length_offset=2)
    (outputs,) = beam_search(kit.prefix_members(5, [4.0]), kit.vocabulary(5), options)
    assert {output.tokens for output in outputs} == {(), (2,), (4,)}


def test_no_sources_give_no_outputs(kit):
    assert beam_search(kit.prefix_members(5, []), kit.vocabulary(5), kit.options()) == []


def test_scores_that_are_not_numbers_are_an_error(kit):
    members = [Member(kit.table_scorer(torch.full((6,), math.nan)), kit.memory_of([0.0, 1.0]))]
    with pytest.raises(DivergedError, match="no output a finite score"):
        beam_search(members, kit.vocabulary(6), kit.options(beam=3))


def test_nothing_is_recorded_for_gradients(kit):
    members = kit.prefix_members(6, [1.0])
    beam_search(members, kit.vocabulary(6), kit.options(beam=2))
    assert members[0].scorer.last.is_inference()
