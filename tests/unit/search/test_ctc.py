from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from seqloom.config import DecodeConfig
from seqloom.nn.ctc import Ctc
from seqloom.search import ensemble
from seqloom.search.beam import beam_search
from seqloom.search.ctc import CtcScorer
from seqloom.search.greedy import greedy_search
from seqloom.search.scorer import Member
from seqloom.testing import random_memory

SIZE, WIDTH = 6, 4  # words are 2, 4 and 5
LENGTHS = (4, 1, 3, 5)
KEYS = [3.0, 14.0, 15.0, 92.0]


@pytest.fixture
def memory():
    return random_memory(LENGTHS, WIDTH)


@pytest.fixture
def ctc() -> Ctc:
    return make_ctc(SIZE)


def make_ctc(size: int) -> Ctc:
    torch.manual_seed(3)
    made = Ctc(WIDTH, size)
    nn.init.normal_(made.project.weight)
    return made


@pytest.fixture
def probabilities(ctc, memory, labellings):
    """Of each source, by labelling."""
    return [labellings(row[:length]) for row, length in zip(ctc(memory), LENGTHS, strict=True)]


def written(scorer, memory, tokens, candidates=None):
    """Scores [B, C] of what follows the tokens that all sources have in common."""
    context = scorer.prepare(memory)
    state = scorer.start(context, 1)
    for token in (0, *tokens):
        last = torch.full((len(LENGTHS), 1), token)
        scores, state = scorer.score(context, state, last, candidates)
    return scores[:, 0]


@pytest.mark.parametrize("tokens", [(), (2,), (4, 5), (4, 4), (2, 2, 2), (5, 4, 2)])
def test_scores_are_what_each_token_leaves_of_the_prefix(ctc, memory, probabilities, kit, tokens):
    eos = kit.vocabulary(SIZE).eos
    scores = written(CtcScorer(ctc, eos), memory, tokens).exp()

    def mass(found, prefix):
        return sum(chance for said, chance in found.items() if said[: len(prefix)] == prefix)

    for row, found in enumerate(probabilities):
        whole = mass(found, tokens)
        expected = [mass(found, (*tokens, token)) for token in range(SIZE)]
        expected[eos] = found.get(tokens, 0)
        wanted = torch.tensor([part / whole if whole else 0.0 for part in expected])
        torch.testing.assert_close(scores[row], wanted, atol=1e-6, rtol=1e-5)


def test_token_scores_add_up_to_the_labelling(ctc, memory, probabilities, kit):
    eos = kit.vocabulary(SIZE).eos
    tokens = (4, 2, eos)
    total = sum(
        written(CtcScorer(ctc, eos), memory, tokens[:place])[:, token] for place, token in enumerate(tokens)
    )
    expected = [found.get(tokens[:2], 0) for found in probabilities]
    torch.testing.assert_close(total.exp(), torch.tensor(expected), atol=1e-7, rtol=1e-5)


def test_an_impossible_prefix_leaves_nothing_and_no_nan(ctc, memory):
    scores = written(CtcScorer(ctc, 3), memory, (4, 4, 4, 2))  # six positions at least
    assert scores.isneginf().all()


def test_candidates_are_columns_of_the_whole(ctc, memory):
    scorer = CtcScorer(ctc, 3)
    candidates = torch.tensor([[3, 5], [4, 2], [5, 4], [2, 3]])[:, None]
    whole = written(scorer, memory, (4,))
    torch.testing.assert_close(written(scorer, memory, (4,), candidates), whole.gather(1, candidates[:, 0]))


def test_scores_are_never_positive_however_sure_it_is(memory):
    ctc = make_ctc(SIZE)
    nn.init.zeros_(ctc.project.weight)
    with torch.no_grad():
        ctc.project.bias[ctc.blank] = 60.0
    scores = written(CtcScorer(ctc, 3), memory, ())
    assert (scores <= 0).all()
    torch.testing.assert_close(scores[:, 3], torch.zeros(4))


def test_long_memories_lose_no_precision():
    ctc, memory = make_ctc(40), random_memory((2000,), WIDTH)
    tokens = torch.randint(4, 40, (60,), generator=torch.Generator().manual_seed(1)).tolist()
    scorer, context = CtcScorer(ctc, 3), None
    context = scorer.prepare(memory)
    state, total = scorer.start(context, 1), 0.0
    for before, token in zip([0, *tokens], [*tokens, 3], strict=True):
        scores, state = scorer.score(context, state, torch.tensor([[before]]), torch.tensor([[[token]]]))
        total += scores.item()
    labels = torch.tensor([tokens])
    log_probs = ctc(memory).double().transpose(0, 1)
    expected = nn.functional.ctc_loss(log_probs, labels, (2000,), (60,), blank=40, reduction="sum")
    assert -total == pytest.approx(expected.item(), rel=1e-5)


# In a search with a decoder ----------------------------------------------------------------------------


def joint(kit, ctc, memory, weight, size=SIZE, keys=KEYS):
    """A decoder's stand-in, which sees other things, and CTC, named first to show that order is nothing."""
    decoder = Member(kit.prefix_scorer(size), kit.memory_of(keys), 1 - weight)
    return [Member(CtcScorer(ctc, kit.vocabulary(size).eos), memory, weight), decoder]


def score_of(kit, members, probabilities, row, tokens):
    (_, _, weight), decoder = members
    found = probabilities[row].get(tokens, 0)
    theirs = kit.rescore([decoder], row, (*tokens, 3), kit.vocabulary(SIZE))
    return sum(theirs) + (weight * math.log(found) if found else -math.inf)


@pytest.mark.parametrize("weight", [0.3, 0.9])
def test_a_full_width_beam_is_exhaustive_search(kit, ctc, memory, probabilities, weight):
    vocabulary, members = kit.vocabulary(SIZE), joint(kit, ctc, memory, weight)
    options = kit.options(beam=40, n_best=40, length_penalty=0, max_length_offset=4)
    for row, outputs in enumerate(beam_search(members, vocabulary, options)):
        every = [tokens for _, tokens in kit.all_outputs(members[1:], row, vocabulary, 4)]
        scored = [(score_of(kit, members, probabilities, row, tokens), tokens) for tokens in every]
        best = sorted((pair for pair in scored if pair[0] > -math.inf), reverse=True)
        assert [output.tokens for output in outputs] == [tokens for _, tokens in best]
        assert [output.score for output in outputs] == pytest.approx([score for score, _ in best], rel=1e-5)
    assert len(outputs) == 40


def test_a_source_of_one_position_has_few_outputs(kit, ctc, memory):
    options = kit.options(beam=40, n_best=40, max_length_offset=4)
    outputs = beam_search(joint(kit, ctc, memory, 0.5), kit.vocabulary(SIZE), options)[1]
    assert {output.tokens for output in outputs} == {(), (2,), (4,), (5,)}


def test_a_beam_of_one_is_greedy_search(kit, ctc, memory):
    options = kit.options(beam=1, max_length_offset=5)
    beam, greedy = (
        search(joint(kit, ctc, memory, 0.4), kit.vocabulary(SIZE), options)
        for search in (beam_search, greedy_search)
    )
    assert beam == greedy


@pytest.mark.parametrize("beam", [1, 3])
def test_no_output_depends_on_the_other_rows(kit, ctc, memory, beam):
    options = kit.options(beam=beam, n_best=beam, max_length_offset=5)
    search = greedy_search if beam == 1 else beam_search
    together = search(joint(kit, ctc, memory, 0.4), kit.vocabulary(SIZE), options)
    for row, length in enumerate(LENGTHS):
        cut = memory._replace(
            values=memory.values[row : row + 1, :length], lengths=memory.lengths[row : row + 1]
        )
        members = joint(kit, ctc, cut, 0.4, keys=KEYS[row : row + 1])
        (alone,) = search(members, kit.vocabulary(SIZE), options)
        assert [output.tokens for output in alone] == [output.tokens for output in together[row]]
        scores = [output.score for output in together[row]]
        assert [output.score for output in alone] == pytest.approx(scores, rel=1e-5)


# Candidates --------------------------------------------------------------------------------------------


def test_partial_scorers_are_asked_about_the_best_tokens_of_the_others(kit, memory, monkeypatch):
    monkeypatch.setattr(ensemble, "CANDIDATES", 4)
    size, vocabulary = 30, kit.vocabulary(30)
    members = joint(kit, make_ctc(size), memory, 0.5, size)
    asked = []
    score = CtcScorer.score

    def noting(self, context, state, token, candidates=None):
        asked.append(candidates)
        return score(self, context, state, token, candidates)

    monkeypatch.setattr(CtcScorer, "score", noting)
    both = ensemble.Ensemble(members, vocabulary, beam=2)
    scores, eos = both.score(torch.zeros(4, 1, dtype=torch.int64), [])
    decoder = joint(kit, members[0].scorer.ctc, memory, 0.5, size)[1]
    plain, plain_eos = ensemble.Ensemble([decoder], vocabulary, beam=2).score(
        torch.zeros(4, 1, dtype=torch.int64), []
    )
    best = plain.topk(3).indices
    for row, candidates in enumerate(asked[0][:, 0]):
        assert set(candidates.tolist()) == {vocabulary.eos, *best[row, 0].tolist()}
    theirs = written(members[0].scorer, memory, ())
    expected = torch.full_like(plain, -math.inf).scatter(-1, best, plain.gather(-1, best))
    torch.testing.assert_close(scores, expected + 0.5 * theirs[:, None])
    torch.testing.assert_close(eos, plain_eos + 0.5 * theirs[:, None, vocabulary.eos])


def test_where_they_suffice_candidates_change_no_output(kit, memory, monkeypatch):
    size = 40
    ctc, vocabulary = make_ctc(size), kit.vocabulary(size)
    options = DecodeConfig(beam=4, n_best=2, max_length_factor=0, max_length_offset=5)
    some = beam_search(joint(kit, ctc, memory, 0.2, size), vocabulary, options)
    monkeypatch.setattr(ensemble, "CANDIDATES", size)
    every = beam_search(joint(kit, ctc, memory, 0.2, size), vocabulary, options)
    assert [[o.tokens for o in outputs] for outputs in some] == [
        [o.tokens for o in found] for found in every
    ]
