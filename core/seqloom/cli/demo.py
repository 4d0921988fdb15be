"""``seqloom demo TASK``: data of our own, a training, and what to try next."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from seqloom.cli.output import State
from seqloom.errors import ConfigError
from seqloom.hooks import Demo, DemoRequest, TaskSpec


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(demo)


def demo(
    ctx: typer.Context,
    task: Annotated[str, typer.Argument(help="The task to show.")],
    folder: Annotated[Path, typer.Option(help="Where to write data and pictures.")] = Path("seqloom-demo"),
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 1,
) -> None:
    """Make data, train a small model on it, use it and register it."""
    from seqloom.catalog import Catalog  # noqa: PLC0415
    from seqloom.cli.site import open_training_site, say  # noqa: PLC0415
    from seqloom.jobfile import load_job  # noqa: PLC0415

    state: State = ctx.obj
    started = time.monotonic()
    catalog = Catalog.from_environment()
    spec: TaskSpec[Any] = catalog.get("task", task)
    if spec.demo is None:
        raise ConfigError(f"the task {task} has no demo")
    place = folder / task
    place.mkdir(parents=True, exist_ok=True)
    made = spec.demo()(DemoRequest(folder=str(place), seed=seed))
    for name, value in made.facts.items():
        say(f"{name}: {value}")
    job = load_job(Path(made.job), catalog, [f"name={made.name}", f"train.seed={seed}"])
    with open_training_site(state, job.config.train.steps, catalog=catalog) as site:
        from seqloom.jobs import evaluate_job, open_model, train_job  # noqa: PLC0415

        trained = train_job(job, site)
        predictor = open_model(trained.model.uri, site)
        _, scores, _ = evaluate_job(predictor, site, "test", predictor.decode)
    for score in scores:
        say(f"test {score.metric} {score.value:.2f} ({score.signature})")
    _show(made, spec, predictor)
    say(f"registered {trained.model.uri} after {time.monotonic() - started:.0f} s; try next:")
    for command in made.next:
        typer.echo(command.format(model=f"{trained.model.name}/{trained.model.version}"))


def _show(made: Demo, spec: TaskSpec[Any], predictor: Any) -> None:
    """Prints outputs for inputs never seen, and makes what the demo's flags ask for."""
    from seqloom.cli.site import say  # noqa: PLC0415

    task = predictor.kit.task
    flags = spec.flags(**made.flags)
    decode = task.configure(flags, predictor.decode)
    options = decode.model_dump()
    predictions = list(predictor.decode_all([given for given, _ in made.unseen], **options))
    for (given, reference), prediction in zip(made.unseen, predictions, strict=True):
        say(f"\n  input      {given}")
        say(f"  output     {task.text(prediction.hypotheses[0])}")
        say(f"  reference  {reference}")
    say("")
    for file in task.deliver(predictions, flags):
        say(f"wrote {file}")
