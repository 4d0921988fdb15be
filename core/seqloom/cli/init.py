"""``seqloom init TASK``: a commented job file to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seqloom.catalog import Catalog
from seqloom.cli.output import note
from seqloom.errors import ConfigError, StorageError, UsageError


def register(app: typer.Typer, catalog: Catalog) -> None:
    """Adds the command."""

    @app.command()
    def init(
        task: Annotated[str, typer.Argument(help="What the job is to do, as `translation`.")],
        file: Annotated[
            Path | None, typer.Argument(help="Where to write it.", show_default="TASK.yaml")
        ] = None,
        force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
    ) -> None:
        """Write a commented job file."""
        spec = catalog.get("task", task)
        if not spec.job:
            raise ConfigError(f"the task {task} has no job file to start from")
        path = file or Path(f"{task}.yaml")
        try:
            with path.open("w" if force else "x", encoding="utf-8") as stream:
                stream.write(spec.job)
        except FileExistsError:
            raise UsageError(f"{path} is there already; name another file, or --force") from None
        except OSError as error:
            if not force:
                path.unlink(missing_ok=True)  # half of it would be in the way of the next try
            raise StorageError(f"{path}: cannot write it: {error.strerror}") from error
        note(f"wrote {path}; see all of its values with `seqloom config show {path}`")
