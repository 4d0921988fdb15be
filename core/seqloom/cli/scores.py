"""How are the scores of an evaluation shown? Whole, taken apart, and of each group of examples."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import typer

from seqloom.cli.output import print_table
from seqloom.registry.records import Score


def print_evaluation(scores: Sequence[Score], baselines: Sequence[str]) -> None:
    """Prints what ``seqloom evaluate`` found.

    Args:
        scores: Named as ``wer``, ``nearest/wer`` and ``speaker=fcaw/wer``.
        baselines: The names of those that stand beside the model.
    """
    values = {score.metric: _value(score) for score in scores}
    whole = [score for score in scores if "/" not in score.metric]
    rows = [
        (s.metric, values[s.metric], *(values.get(f"{name}/{s.metric}", "") for name in baselines),
         s.split, s.signature)
        for s in whole
    ]  # fmt: skip
    print_table(("score", "value", *baselines, "split", "signature"), rows, figures=("value", *baselines))
    if apart := [score for score in whole if score.parts]:
        typer.echo()
        _print_parts(apart)
    groups: dict[str, list[Score]] = {}
    for score in scores:
        group, _, metric = score.metric.rpartition("/")
        if "=" in group:
            groups.setdefault(metric, []).append(score)
    for table in _tables(groups.values()):
        typer.echo()
        _print_groups(table)


def _print_parts(scores: Sequence[Score]) -> None:
    """A row for each score: of how much, and how much of that is what."""
    kinds = list(dict.fromkeys(kind for score in scores for kind in list(score.parts)[1:]))
    rows = []
    for score in scores:
        (unit, length), *_ = score.parts.items()
        shares = [_share(score.parts[kind], length) if kind in score.parts else "" for kind in kinds]
        rows.append((score.metric, f"{length:,} {unit}", *shares))
    print_table(("score", "of", *kinds), rows, figures=("of", *kinds))


def _share(count: int, length: int) -> str:
    return f"{count:,} ({count / length:.2%})" if length else f"{count:,}"


def _tables(groups: Collection[Sequence[Score]]) -> list[list[Sequence[Score]]]:
    """Which metrics' groups are shown together: each that is made of parts by itself, all others in one."""
    plain = [scores for scores in groups if not scores[0].parts]
    return [table for table in (plain, *([scores] for scores in groups if scores[0].parts)) if table]


def _print_groups(metrics: Sequence[Sequence[Score]]) -> None:
    """A row for each value of a tag.

    Args:
        metrics: For each metric its scores, all of the same groups in the same order.
    """
    tag = metrics[0][0].metric.partition("=")[0]
    names = [scores[0].metric.rpartition("/")[2] for scores in metrics]
    parts = list(metrics[0][0].parts)
    rows = [
        (_group(of_group[0]), *map(_value, of_group), *(f"{of_group[0].parts[name]:,}" for name in parts))
        for of_group in zip(*metrics, strict=True)
    ]
    print_table((tag, *names, *parts), rows, figures=(*names, *parts))


def _group(score: Score) -> str:
    return score.metric.rpartition("/")[0].partition("=")[2]


def _value(score: Score) -> str:
    return f"{score.value:.2f}"
