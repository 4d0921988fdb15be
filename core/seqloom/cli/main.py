"""The console script: the root of all commands, and the one place where errors become exit codes."""

from __future__ import annotations

import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from io import StringIO, TextIOWrapper
from types import FrameType
from typing import Annotated, Any, TextIO

import typer
from typer.core import TyperGroup

import seqloom
from seqloom.catalog import Catalog
from seqloom.cli import compare, config, data, decode, demo, doctor, init, plugins, train, ui
from seqloom.cli.absent import check_model
from seqloom.cli.models import models_app
from seqloom.cli.output import State, note
from seqloom.cli.registry import registry_app
from seqloom.cli.runs import runs_app
from seqloom.errors import (
    BUG_EXIT_CODE,
    Interrupted,
    MemoryShortError,
    PluginError,
    SeqloomError,
    SeqloomWarning,
    StorageError,
    ToldError,
    UsageError,
    is_out_of_memory,
)

PIPE_CLOSED = 128 + signal.SIGPIPE
TELL_OF_PLUGINS = frozenset({"doctor", "plugins"})
"""Commands that list the plugins set aside, and need no warning of them."""
SHARED = frozenset({"train", "resume"})
"""Commands that several processes may run together."""


def main() -> None:
    """Runs the command line and exits."""
    signal.signal(signal.SIGTERM, _terminate)
    if isinstance(sys.stdout, TextIOWrapper):  # whatever the locale: data is UTF-8, as files are
        sys.stdout.reconfigure(encoding="utf-8")
    try:
        with warnings.catch_warnings():
            _tell_warnings()
            build_app(Catalog.from_environment())()
    except (Exception, KeyboardInterrupt) as error:  # outside of any command
        sys.exit(report(error, debug="--debug" in sys.argv))
    finally:
        _flush()


def build_app(catalog: Catalog) -> typer.Typer:
    """All commands, the verbs of installed tasks among them."""

    class Root(_Root):
        plugins = catalog

    app = typer.Typer(
        cls=Root,
        help=(seqloom.__doc__ or "").partition("\n")[0],
        no_args_is_help=True,
        rich_markup_mode=None,  # rich would double the time that --help takes
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root(catalog))
    demo.register(app, catalog)
    init.register(app, catalog)
    train.register(app)
    decode.register(app, catalog)
    app.add_typer(models_app, name="models")
    app.add_typer(runs_app, name="runs")
    compare.register(app, catalog)
    ui.register(app, catalog)
    app.add_typer(registry_app, name="registry")
    plugins.register(app, catalog)
    config.register(app, catalog)
    data.register(app, catalog)
    doctor.register(app, catalog)
    return app


def report(error: BaseException, *, debug: bool) -> int:
    """Tells the user what went wrong, in a line, and with the traceback where asked for.

    Returns:
        The exit code.
    """
    if debug:
        traceback.print_exception(error)
    status, message = _verdict(error)
    if message:
        note(message)
    return status


def _verdict(error: BaseException) -> tuple[int, str]:
    """The exit code of an error, and what to say of it."""
    if isinstance(error, ToldError):
        return _verdict(error.error)[0], ""
    if isinstance(error, Interrupted):
        return error.exit_status, str(error)
    if isinstance(error, SeqloomError):
        return error.exit_code, f"error: {error}"
    if isinstance(error, KeyboardInterrupt):
        return 128 + signal.SIGINT, "interrupted"
    if isinstance(error, BrokenPipeError):  # who reads our output has enough
        return PIPE_CLOSED, ""
    if is_out_of_memory(error):
        return MemoryShortError.exit_code, "error: out of memory; lower the job's sizes or --batch-size"
    if isinstance(error, OSError):
        return StorageError.exit_code, f"error: {error}"
    said = f"{type(error).__name__}: {error}"
    return BUG_EXIT_CODE, f"error: this is a bug, run with --debug to see where: {' '.join(said.split())}"


class _Root(TyperGroup):
    """All commands; their errors become exit codes here.

    Attributes:
        plugins: Those found, in use or not.
    """

    plugins: Catalog

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if self.get_command(ctx, args[0]) is None:
            if len(args) > 1:  # every verb takes its model first
                check_model(args[1], ctx.params.get("registry"), self.plugins)
            if troubles := [plugin.trouble for plugin in self.plugins.set_aside()]:
                raise PluginError("\n".join([f"no command '{args[0]}' of a plugin in use", *troubles]))
        return super().resolve_command(ctx, args)

    def make_context(self, *words: Any, **options: Any) -> Any:
        try:
            return super().make_context(*words, **options)
        except Exception as error:
            raise _told(error) from None

    def invoke(self, ctx: Any) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except (SystemExit, typer.Exit, typer.Abort):
            raise
        except BaseException as error:
            if isinstance(told := _told(error), typer.Exit):
                raise told from None
            raise typer.Exit(report(error, debug=ctx.params["debug"])) from None
        return result


def _told(error: BaseException) -> BaseException:
    """Tells a usage error of typer's, as typer words it; that, or another error, to go on with."""
    show, exit_code = getattr(error, "show", None), getattr(error, "exit_code", None)
    if isinstance(error, SeqloomError) or show is None or exit_code is None:
        return error
    said = StringIO()
    show(said)
    note(said.getvalue().rstrip("\n"))
    return typer.Exit(exit_code)


def _root(catalog: Catalog) -> Callable[..., None]:
    def root(
        context: typer.Context,
        registry: Annotated[
            str | None,
            typer.Option(
                metavar="URL", help="The registry; else SEQLOOM_REGISTRY, else sqlite:///registry.db."
            ),
        ] = None,
        debug: Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")] = False,
        version: Annotated[  # noqa: ARG001 - its callback acts
            bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
        ] = False,
    ) -> None:
        context.obj = State(registry=registry, debug=debug)
        size = os.environ.get("WORLD_SIZE", "1")
        if size != "1" and context.invoked_subcommand not in SHARED:
            raise UsageError(
                f"WORLD_SIZE is {size}, as where a launcher starts several processes, but only train and "
                f"resume are shared; run {context.invoked_subcommand} by itself"
            )
        if context.invoked_subcommand not in TELL_OF_PLUGINS:
            for plugin in catalog.plugins():
                if plugin.state != "disabled" or not plugin.distribution:
                    for trouble in plugin.troubles:
                        note(f"warning: {trouble}")

    return root


def _tell_warnings() -> None:
    """Tells each of our own warnings once, as everything else is told; others are shown as before."""
    others = warnings.showwarning

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, SeqloomWarning):
            note(f"warning: {message}")
        else:
            others(message, category, filename, lineno, file, line)

    warnings.filterwarnings("once", category=SeqloomWarning)
    warnings.showwarning = show


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"seqloom {seqloom.__version__}")
        raise typer.Exit


def _terminate(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise Interrupted("terminated", signum)


def _flush() -> None:
    """Writes what is left; where nobody reads it, the interpreter is not to complain once more."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
