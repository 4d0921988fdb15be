"""``seqloom demo TASK``: data of our own, a training, and what to try next."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqloom.catalog import Catalog
from seqloom.cli.output import State
from seqloom.errors import ConfigError
from seqloom.hooks import Demo, DemoRequest, TaskSpec

if TYPE_CHECKING:
    from seqloom.predictor import Predictor
    from seqloom.registry.records import Model


def register(app: typer.Typer, catalog: Catalog) -> None:
    """Adds the command."""

    @app.command()
    def demo(
        context: typer.Context,
        task: Annotated[str, typer.Argument(help="The task to show.")],
        folder: Annotated[
            Path, typer.Option(help="Where to write data and pictures, over those of an earlier demo.")
        ] = Path("seqloom-demo"),
        seed: Annotated[int, typer.Option(help="Of everything random.")] = 1,
    ) -> None:
        """Make data, train a small model on it, use it and register it."""
        from seqloom.cli.bars import say  # noqa: PLC0415

        started = time.monotonic()
        spec = catalog.get("task", task)
        if spec.demo is None:
            raise ConfigError(f"the task {task} has no demo")
        place = folder / task
        place.mkdir(parents=True, exist_ok=True)
        made = spec.demo()(DemoRequest(folder=str(place), seed=seed))
        for name, value in made.facts.items():
            say(f"{name}: {value}")
        model, predictor = _train(made, seed, catalog, context.ensure_object(State))
        _show(made, spec, predictor)
        say(f"registered {model.uri} after {time.monotonic() - started:.0f} s; try next:")
        for command in made.next:
            typer.echo(command.replace("{model}", f"{model.name}/{model.version}"))


def _train(made: Demo, seed: int, catalog: Catalog, state: State) -> tuple[Model, Predictor]:
    """Trains and registers the demo's model, and scores it on the test set."""
    from seqloom.cli.bars import say  # noqa: PLC0415
    from seqloom.cli.site import open_site, open_training_site  # noqa: PLC0415
    from seqloom.jobfile import load_job  # noqa: PLC0415
    from seqloom.jobs import evaluate_job, train_job  # noqa: PLC0415
    from seqloom.site import open_model  # noqa: PLC0415

    job = load_job(Path(made.job), catalog, [f"name={made.name}", f"train.seed={seed}"])
    with open_training_site(state, job.config.train.steps, catalog=catalog) as site:
        model = train_job(job, site).model
    with open_site(state, catalog=catalog) as site:  # from here on a signal has no step to wait for
        predictor = open_model(model.uri, site)
        _, scores, _ = evaluate_job(predictor, site, "test", predictor.decode)
    for score in scores:
        say(f"test {score.metric} {score.value:.2f} ({score.signature})")
    return model, predictor


def _show(made: Demo, spec: TaskSpec[Any], predictor: Predictor) -> None:
    """Prints outputs for inputs never seen, and makes what the demo's flags ask for."""
    from seqloom.cli.bars import say  # noqa: PLC0415

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
    for file in task.deliver(predictions, flags, predictor.kit.modalities):
        say(f"wrote {file}")
