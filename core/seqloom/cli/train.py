"""``seqloom train`` and ``seqloom resume``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqloom.cli.output import State

if TYPE_CHECKING:
    from seqloom.jobs import Trained
    from seqloom.world import World

Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Overrides a key of the job.")
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(train)
    app.command()(resume)


def train(
    ctx: typer.Context,
    job: Annotated[Path, typer.Argument(help="The job file.")],
    overrides: Overrides = None,
) -> None:
    """Train a model as a job file says, and register it."""
    from seqloom.catalog import Catalog  # noqa: PLC0415
    from seqloom.cli.site import open_training_site, open_world  # noqa: PLC0415
    from seqloom.jobfile import load_job  # noqa: PLC0415

    state: State = ctx.obj
    with open_world() as world:
        if not world.is_first:
            follow(state, world)
            return
        catalog = Catalog.from_environment()
        loaded = load_job(job, catalog, overrides or ())
        steps = loaded.config.train.steps
        with open_training_site(state, steps, catalog=catalog, world=world) as site:
            from seqloom.jobs import train_job  # noqa: PLC0415

            report(train_job(loaded, site))


def resume(
    ctx: typer.Context,
    run: Annotated[str, typer.Argument(help="The run's folder, its id or the beginning of it.")],
    workers: Annotated[
        int | None, typer.Option(min=0, help="Processes that make batches ahead, instead of data.workers.")
    ] = None,
) -> None:
    """Go on with a training from its newest checkpoint."""
    from seqloom.cli.site import open_site, open_training_site, open_world  # noqa: PLC0415

    state: State = ctx.obj
    with open_world() as world:
        if not world.is_first:
            follow(state, world, workers)
            return
        from seqloom.jobs import resume_job  # noqa: PLC0415
        from seqloom.site import find_run, read_run_config  # noqa: PLC0415

        with open_site(state) as site:
            folder = find_run(run, site)
        steps = read_run_config(folder)["job"]["train"]["steps"]
        with open_training_site(state, steps, world=world, workers=workers) as site:
            report(resume_job(folder, site))


def follow(state: State, world: World, workers: int | None = None) -> None:
    """Takes part, as another rank than the first, in the training that rank 0 runs."""
    from seqloom.cli.site import open_following_site  # noqa: PLC0415
    from seqloom.jobs import follow_job  # noqa: PLC0415

    with open_following_site(state, world, workers) as site:
        follow_job(site)


def report(trained: Trained) -> None:
    """Says what came of a training: people get sentences, programs the model's URI."""
    from seqloom.cli.bars import say  # noqa: PLC0415

    for score in trained.scores:
        say(f"{score.split} {score.metric} {score.value:.2f} ({score.signature})")
    say(f"model in {trained.model.folder}")
    typer.echo(trained.model.uri)
