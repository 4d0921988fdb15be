"""The page as an ASGI application: views, what guards them, and what becomes of their errors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from seqloom.errors import ConfigError, SeqloomError, UsageError
from seqloom.page.guard import HEADERS, Guard
from seqloom.page.place import HERE, Place
from seqloom.page.views import compare, files, lineage, models, run, runs
from seqloom.registry.store import Registry
from seqloom.registry.store import runs_folder as usual_runs_folder

NOT_FOUND: Final = HTTPStatus.NOT_FOUND.phrase
"""What is said where no view has the address."""


def create_app(
    registry_url: str | None = None,
    runs_folder: Path | str | None = None,
    token: str | None = None,
    higher_is_better: Mapping[str, bool] | None = None,
) -> FastAPI:
    """The page.

    Args:
        registry_url: An SQLAlchemy URL; None as for :class:`~seqloom.registry.store.Registry`.
        runs_folder: The folder of run folders; None for ``SEQLOOM_RUNS``, or ``runs``.
        token: What everybody must know who asks; None where the page is for this machine alone, as
            ``127.0.0.1`` or ``localhost``: it refuses to be called anything else.
        higher_is_better: Which way is better, by metric, to mark what is best where scores are compared;
            that of perplexity and accuracy is known.
    """
    registry = Registry(registry_url)
    folder = usual_runs_folder() if runs_folder is None else Path(runs_folder)
    place = Place(registry, folder, higher_is_better or {})

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        registry.close()

    app = FastAPI(title="Seqloom", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.router.redirect_slashes = False
    app.state.place = place
    app.add_middleware(Guard, token=token, refuse=place.error)
    _tell_errors(app, place)
    for view in (runs, run, models, compare, files, lineage):
        app.include_router(view.router)
    app.mount("/static", StaticFiles(directory=HERE / "static"))

    @app.get("/")
    def home() -> Response:
        return RedirectResponse("/runs")

    return app


def _tell_errors(app: FastAPI, place: Place) -> None:
    @app.exception_handler(SeqloomError)
    def known(_: Request, error: SeqloomError) -> Response:
        if isinstance(error, UsageError):
            return place.error(400, str(error))
        return place.error(404 if isinstance(error, ConfigError) else 503, str(error))

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> Response:
        nothing = f"there is nothing at {request.url.path}"
        said = str(error.detail)
        return place.error(error.status_code, nothing if said == NOT_FOUND else said)

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> Response:
        names = {".".join(str(part) for part in one["loc"][1:]) for one in error.errors()}
        return place.error(400, f"the address is wrong in: {', '.join(sorted(names))}")

    @app.exception_handler(OSError)
    def unreadable(_: Request, error: OSError) -> Response:
        return place.error(503, f"{error.filename or 'a file'} cannot be read: {error.strerror or error}")

    @app.exception_handler(Exception)
    def bug(_: Request, error: Exception) -> Response:
        response = place.error(500, f"this is a bug of the page: {type(error).__name__}")
        response.headers.update(HEADERS)  # it does not pass the guard
        return response
