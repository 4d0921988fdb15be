"""``seqloom runs rm`` and ``tail``: what goes on in the folders of runs, or will not much longer."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final

import typer

from seqloom.cli.output import duration, note, open_registry
from seqloom.registry.records import Run

LARGE: Final = 1000
"""From here on nobody reads what comes after the point."""


def delete_runs(
    context: typer.Context,
    run_ids: Annotated[
        list[str], typer.Argument(metavar="ID...", help="Ids of runs, or the beginnings of these.")
    ],
    undo: Annotated[bool, typer.Option("--undo", help="Take back that they were deleted.")] = False,
) -> None:
    """Mark runs as deleted. Their models stay, and their files until `seqloom models gc --yes`."""
    from seqloom import held  # noqa: PLC0415 - `--help` never pays for a database

    with open_registry(context) as registry:
        if undo:
            for run_id in run_ids:
                note(f"{registry.restore_run(run_id).id} is back")
            return
        for run in held.delete_runs(registry, run_ids):
            note(f"{run.id} is deleted; --undo takes it back")


def tail_run(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(metavar="ID", help="A run's id, or the beginning of it.")],
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=0, help="So many of the lines of before.")
    ] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print the lines as they are written.")] = False,
) -> None:
    """Follow a training until it ends. What it logs is printed as it comes."""
    from seqloom.following import follow, goes_on  # noqa: PLC0415 - `--help` never pays for a database

    with open_registry(context) as registry:
        run = registry.run(run_id)
        for line in follow(registry, run, lines):
            text = line.decode(errors="replace")
            typer.echo(text if as_json else told(text))
        note(_end(registry.run(run.id), goes_on=goes_on(registry, run)))


def told(line: str) -> str:
    """A line of ``metrics.jsonl`` for people: ``step 500: bleu 31.25, ppl 4.71``."""
    try:
        record: Any = json.loads(line)
    except ValueError:
        return line
    if not isinstance(record, dict) or "step" not in record:
        return line
    step = f"step {record.pop('step')}: "
    if "event" in record:
        return step + " ".join(f"{record['event']}: {record.get('reason', '')}".split())
    scores = record.get("scores", record)
    return step + ", ".join(f"{_words(name)} {_figure(value)}" for name, value in scores.items())


def _words(name: str) -> str:
    return name.replace("_", " ")


def _figure(value: Any) -> str:
    if value is None:
        return "nan"
    if not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) else str(value)
    return f"{value:,.0f}" if abs(value) >= LARGE else f"{value:.4g}"


def _end(run: Run, *, goes_on: bool) -> str:
    """What became of a run that is not followed any more."""
    if run.status == "running" and not goes_on:
        return f"run {run.id} has no process any more; `seqloom resume {run.id}` goes on with it"
    after = f" after {duration(run.started_at, run.ended_at)}" if run.ended_at else ""
    return f"run {run.id} {run.status}{after}" + (f": {run.error}" if run.error else "")
