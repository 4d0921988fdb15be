"""What `seqloom evaluate` shows of scores."""

from __future__ import annotations

import pytest

from seqloom.cli.scores import print_evaluation
from seqloom.registry.records import Score


def score(metric: str, value: float, **parts: int) -> Score:
    return Score(metric=metric, value=value, split="test", step=9, signature="v:1", parts=parts)


def wer(name: str, words: int, substitutions: int, deletions: int) -> Score:
    errors = substitutions + deletions
    hits = words - errors
    parts = {"words": words, "hits": hits, "substitutions": substitutions, "deletions": deletions}
    return score(name, 100 * errors / words, **parts)


def shown(capsys: pytest.CaptureFixture[str], *scores: Score, baselines: tuple[str, ...] = ()) -> str:
    print_evaluation(scores, baselines)
    return "\n".join(line.rstrip() for line in capsys.readouterr().out.splitlines())


def test_scores_stand_beside_those_of_baselines(capsys: pytest.CaptureFixture[str]) -> None:
    scores = (score("ppl", 1.5), score("bleu", 31.25), score("nearest/bleu", 7.5))
    assert shown(capsys, *scores, baselines=("nearest",)) == (
        "score  value  nearest  split  signature\n"
        "ppl     1.50           test   v:1\n"
        "bleu   31.25     7.50  test   v:1"
    )


def test_a_score_is_taken_apart(capsys: pytest.CaptureFixture[str]) -> None:
    cer = score("cer", 2.5, characters=4_000, hits=3_900, insertions=0)
    assert shown(capsys, score("ppl", 1.5), wer("wer", 1_000, 31, 9), cer).partition("\n\n")[2] == (
        "score                of            hits  substitutions  deletions  insertions\n"
        "wer         1,000 words    960 (96.00%)     31 (3.10%)  9 (0.90%)\n"
        "cer    4,000 characters  3,900 (97.50%)                             0 (0.00%)"
    )


def test_each_group_has_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    """A table for what is made of parts, and one for all that is not."""
    groups = [
        made
        for name, errors in (("ann/b", 3), ("bob", 12))
        for made in (
            score(f"speaker={name}/exact", 5.0),
            wer(f"speaker={name}/wer", 1_200, errors, 1),
            score(f"speaker={name}/bleu", 31.0),
        )
    ]
    assert shown(capsys, wer("wer", 10, 1, 0), *groups).split("\n\n")[2:] == [
        "speaker  exact   bleu\nann/b     5.00  31.00\nbob       5.00  31.00",
        "speaker   wer  words   hits  substitutions  deletions\n"
        "ann/b    0.33  1,200  1,196              3          1\n"
        "bob      1.08  1,200  1,187             12          1",
    ]


def test_nothing_said_is_no_share(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, score("wer", 0.0, words=0, hits=2)).endswith("\nwer    0 words     2")
