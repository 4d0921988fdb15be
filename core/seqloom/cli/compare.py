"""``seqloom compare``: what differs between runs or models, and which scores may be compared at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from string import ascii_uppercase
from typing import TYPE_CHECKING, Annotated, Final

import typer

from seqloom.catalog import Catalog
from seqloom.cli.output import note, open_registry, out, print_json, print_table
from seqloom.errors import UsageError
from seqloom.hooks import MetricSpec

if TYPE_CHECKING:
    from seqloom.registry.comparison import Beside, Comparison, Difference
    from seqloom.registry.records import DataFile, Score

MOST: Final = len(ascii_uppercase)
SHORT: Final = 12
"""Digits of a sha256 that people are shown."""


class Form(StrEnum):
    """In what form a comparison is printed."""

    TABLE = "table"
    JSON = "json"


def register(app: typer.Typer, catalog: Catalog) -> None:
    """Adds the command."""

    @app.command()
    def compare(
        context: typer.Context,
        names: Annotated[
            list[str],
            typer.Argument(
                metavar="A B...", help="Runs, by id or its beginning; models: name, name/3, name@alias."
            ),
        ],
        form: Annotated[Form, typer.Option("--format", help="How to print it.")] = Form.TABLE,
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    ) -> None:
        """Compare runs or models: scores, configurations, data, versions."""
        from seqloom.registry.comparison import compare as compared  # noqa: PLC0415

        if len(names) > MOST:
            raise UsageError(f"at most {MOST} are compared at once, and {len(names)} were given")
        metrics = [spec for spec in catalog.specs("metric") if isinstance(spec, MetricSpec)]
        ways = {spec.name: spec.higher_is_better for spec in metrics}
        with open_registry(context) as registry:
            comparison = compared([registry.subject(name) for name in names], ways)
        if as_json or form is Form.JSON:
            print_json(comparison)
        else:
            _print_tables(comparison)


def _print_tables(comparison: Comparison) -> None:
    """What there is to say, a table for each kind; letters stand for what is compared."""
    letters = ascii_uppercase[: len(comparison.names)]
    names = [(letter, _seen(name)) for letter, name in zip(letters, comparison.names, strict=True)]
    print_table(("", "compared"), names)
    figures = (*letters, *(f"{letter}-A" for letter in letters[1:]))
    scores = [row for beside in comparison.scores for row in _score_rows(beside)]
    _print("scores", ("metric", "split", "of", *figures, "signature"), scores, figures)
    apart = [
        (letters[one.subject], one.score.metric, one.score.split, _figure(one.score), one.why)
        for one in comparison.apart
    ]
    _print("scores that cannot be compared", ("", "metric", "split", "last", "why"), apart, ("last",))
    _print("configuration", ("key", *letters), _difference_rows(comparison.config))
    data = [(one.split, one.path, *map(_content, one.files)) for one in comparison.data]
    _print("data", ("split", "path", *letters), data)
    _print("everything else", ("what", *letters), _difference_rows(comparison.facts))
    for position in comparison.unknown:
        note(f"nobody noted which run made {comparison.names[position]}: its scores alone are known")


def _print(
    title: str, headers: Sequence[str], rows: Sequence[Sequence[str]], figures: Sequence[str] = ()
) -> None:
    """Prints a table under its title; a line instead where nothing differs."""
    out(f"\n{title}" if rows else f"\n{title}: none")
    if rows:
        print_table(headers, [[_seen(cell) for cell in row] for row in rows], figures)


def _score_rows(beside: Beside) -> Iterator[tuple[str, ...]]:
    """The last of each, and the best where that is another of some."""
    lasts = [None if one is None else one.last for one in beside.standings]
    bests = [None if one is None else one.best for one in beside.standings]
    yield _score_row(beside, "last", lasts)
    if any(best is not None and best != last for best, last in zip(bests, lasts, strict=True)):
        yield _score_row(beside, "best", bests)


def _score_row(beside: Beside, which: str, scores: Sequence[Score | None]) -> tuple[str, ...]:
    first = scores[0]
    differences = [_difference(beside, first, one) for one in scores[1:]]
    return (beside.metric, beside.split, which, *map(_figure, scores), *differences, beside.signature)


def _figure(score: Score | None) -> str:
    return "" if score is None else f"{score.value:.2f} @{score.step}"


def _difference(beside: Beside, first: Score | None, other: Score | None) -> str:
    """``+1.20 better``; without a judgement where nobody knows which way is better, or there is no odds."""
    if first is None or other is None:
        return ""
    found = other.value - first.value
    if beside.higher_is_better is None or not abs(found) > 0:
        return f"{found:+.2f}"
    return f"{found:+.2f} {'better' if (found > 0) == beside.higher_is_better else 'worse'}"


def _difference_rows(differences: Sequence[Difference]) -> list[tuple[str, ...]]:
    return [(one.key, *("" if value is None else value for value in one.values)) for one in differences]


def _content(file: DataFile | None) -> str:
    if file is None:
        return ""
    return file.sha256[:SHORT] + ("" if file.rows is None else f", {file.rows:,} rows")


def _seen(text: str) -> str:
    from seqloom.registry.drawn import seen  # noqa: PLC0415 - `--help` never pays for it

    return seen(text)
