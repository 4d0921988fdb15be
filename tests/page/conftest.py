"""A page full of exhibits, asked without a network."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

sys.path.insert(0, str(Path(__file__).parent))
import exhibits

from seqloom.page.app import create_app
from seqloom.registry.records import Run
from seqloom.registry.store import Registry

HERE = "http://127.0.0.1"


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A registry's URL and its run folders, which tests only look at."""
    return exhibits.make_exhibits(tmp_path_factory.mktemp("exhibits"))


@pytest.fixture(scope="session")
def client(shown: tuple[str, Path]) -> Iterator[TestClient]:
    """Asks the page of the exhibits; an error of the page's own is raised."""
    with TestClient(create_app(*shown), base_url=HERE) as asking:
        yield asking


@pytest.fixture(scope="session")
def run_of(shown: tuple[str, Path]) -> Callable[[str], Run]:
    """``run_of(query)``: the newest run that fits."""

    def find(where: str) -> Run:
        with Registry(shown[0]) as registry:
            return registry.runs(where, 1)[0]

    return find


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """An empty registry in ``tmp_path``."""
    with Registry(f"sqlite:///{tmp_path / 'registry.db'}") as opened:
        yield opened


@pytest.fixture
def asking(registry: Registry, tmp_path: Path) -> Iterator[TestClient]:
    """Asks the page of that registry."""
    with TestClient(
        create_app(f"sqlite:///{tmp_path / 'registry.db'}", tmp_path / "runs"), base_url=HERE
    ) as client:
        yield client


@pytest.fixture
def start(registry: Registry, tmp_path: Path) -> Callable[..., Run]:
    """``start(id="r", name="x")``: a run with a folder of its own."""

    def enter(**facts: object) -> Run:
        usual: dict[str, object] = {
            "kind": "train",
            "name": "one",
            "task": "translation",
            "config": {"train": {"seed": 1}},
            "seed": 1,
            "device": "cpu",
            "device_reason": "asked for",
            "versions": {"seqloom": "0.1.0"},
            "data": (),
            "id": "20261201-120000-abcdef",
        }
        folder = tmp_path / "runs" / "folder"
        folder.mkdir(parents=True, exist_ok=True)
        return registry.start_run(**{**usual, "folder": str(folder), **facts})  # type: ignore[arg-type]

    return enter
