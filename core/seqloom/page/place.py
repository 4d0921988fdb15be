"""Where the page looks, and how it answers: the registry, run folders, templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from seqloom.page import wording
from seqloom.page.metrics import Logs
from seqloom.registry.records import Model, Run
from seqloom.registry.store import Registry

HERE: Final = Path(__file__).parent
TITLES: Final = {
    400: "That cannot be asked",
    401: "Who is there?",
    403: "Not from here",
    404: "Not there",
    405: "Only for looking",
    500: "A mistake of ours",
    503: "That cannot be read now",
}


def address(*parts: object, **asked: str | list[str]) -> str:
    """An address of the page: each part quoted, whatever it holds."""
    path = "".join(f"/{quote(str(part), safe='', errors='replace')}" for part in parts)
    return path + (f"?{urlencode(asked, doseq=True, errors='replace')}" if asked else "")


def model_address(uri: str) -> str:
    """The address of a model's page, of ``models:/name/3``."""
    return address("models", *uri.removeprefix("models:/").split("/"))


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("moment", "ago", "duration", "figure", "whole", "size"):
        environment.filters[name] = getattr(wording, name)
    environment.globals.update(address=address, model_address=model_address, NOTHING=wording.NOTHING)
    return environment


@dataclass(frozen=True)
class Place:
    """What all views need.

    Attributes:
        registry: What there is to see.
        runs: The folder of run folders, for runs whose own is not where it was.
        higher_is_better: Which way is better, by metric.
        logs: What ``metrics.jsonl`` of runs say.
    """

    registry: Registry
    runs: Path
    higher_is_better: Mapping[str, bool] = field(default_factory=dict)
    logs: Logs = field(default_factory=Logs)
    _templates: Environment = field(default_factory=_environment)

    def page(self, template: str, status: int = 200, **content: Any) -> HTMLResponse:
        """An answer made of a template."""
        text = self._templates.get_template(template).render(content)
        return HTMLResponse(text.encode("utf-8", "replace"), status)  # JSON may hold half a character

    def error(self, status: int, message: str) -> HTMLResponse:
        """The page that says what is wrong."""
        title = TITLES.get(status, "Something is wrong")
        return self.page("error.html", status, section="", title=title, message=message)

    def folder(self, run: Run) -> Path | None:
        """A run's folder, its links followed; None where there is none."""
        named = [Path(run.folder)] if run.folder else []
        if "/" not in run.id and run.id not in {"", ".", ".."}:
            named.append(self.runs / run.id)
        return next((folder.resolve() for folder in named if folder.is_dir()), None)


def within(folder: Path, *parts: str) -> Path | None:
    """A file of a folder; None where it is not there, is no plain file, or leads out of the folder."""
    file = folder.joinpath(*parts).resolve()
    return file if file.is_relative_to(folder.resolve()) and file.is_file() else None


def model_folder(model: Model) -> Path | None:
    """A model's folder, its links followed; None where it is not there."""
    folder = Path(model.folder)
    return folder.resolve() if model.folder and folder.is_dir() else None


def place_of(request: Request) -> Place:
    """Where the page looks: a dependency of views."""
    place: Place = request.app.state.place
    return place
