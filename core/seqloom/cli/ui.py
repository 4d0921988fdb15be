"""``seqloom ui``: a page to look at runs and models with."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Final

import typer

from seqloom.catalog import Catalog
from seqloom.cli.output import State, note
from seqloom.errors import BusyError, ConfigError, UsageError
from seqloom.hooks import MetricSpec

if TYPE_CHECKING:
    from fastapi import FastAPI

PORT: Final = 8642
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
TOKEN: Final = "SEQLOOM_TOKEN"  # noqa: S105 - the variable's name
SHORTEST_TOKEN: Final = 16
BACKLOG: Final = 128


def register(app: typer.Typer, catalog: Catalog) -> None:
    """Adds the command."""

    @app.command()
    def ui(
        context: typer.Context,
        host: Annotated[
            str, typer.Option(help="The address to listen on; all but loopback need a token.")
        ] = "127.0.0.1",
        port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = PORT,
    ) -> None:
        """Show runs and models in a browser, on this machine alone unless told otherwise."""
        token = None if host in LOOPBACK else _token()
        metrics = [spec for spec in catalog.specs("metric") if isinstance(spec, MetricSpec)]
        ways = {spec.name: spec.higher_is_better for spec in metrics}
        page = _page(context.ensure_object(State).registry, token, ways)
        with _listening(host, port) as listener:
            shown = f"[{host}]" if ":" in host else host
            address = f"http://{shown}:{listener.getsockname()[1]}/"
            note(f"runs and models are at {address}{'' if token is None else f'?token={token}'}")
            if token is not None:
                note("whoever has this token sees all of them; what is sent is not encrypted")
            note("Ctrl-C ends it")
            _serve(page, listener)


def _token() -> str:
    """The token of the environment, or else a new one."""
    token = os.environ.get(TOKEN) or secrets.token_urlsafe(24)
    if len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(
            f"{TOKEN} is no token: use at least {SHORTEST_TOKEN} letters, digits and signs without spaces, "
            "or unset it to have one made"
        )
    return token


def _page(registry: str | None, token: str | None, ways: Mapping[str, bool]) -> FastAPI:
    try:
        from seqloom.page.app import create_app  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"seqloom ui needs the package {error.name}, which is not installed; pip install 'seqloom[ui]'"
        ) from error
    return create_app(registry, token=token, higher_is_better=ways)


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens; bound here, so that a free port is known before anything is said of it."""
    try:
        [family, *_], *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except socket.gaierror as error:
        raise UsageError(f"'{host}' is no address of this machine: {error.strerror}") from error
    except OverflowError as error:
        raise UsageError(f"'{host}' is no address: {error}") from error
    except OSError as error:
        raise BusyError(
            f"cannot listen on {host}, port {port}: {error.strerror}; choose another --port, "
            "or 0 for a free one"
        ) from error


def _serve(page: FastAPI, listener: socket.socket) -> None:
    import uvicorn  # noqa: PLC0415 - an extra

    # No log of requests: addresses would tell the token. Polling answers need no long farewell.
    config = uvicorn.Config(
        page, log_level="warning", access_log=False, timeout_graceful_shutdown=2, server_header=False
    )
    with suppress(KeyboardInterrupt):  # how one ends it
        uvicorn.Server(config).run(sockets=[listener])
