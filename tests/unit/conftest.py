"""Throw-away distributions (plugins as a user would install them), and scenes that two processes play."""

from __future__ import annotations

import importlib
import itertools
import json
import math
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parent))  # for family.py
from seqloom.registry.records import Model, Run, Score
from seqloom.registry.runs import new_run_id
from seqloom.registry.store import Registry
from seqloom.storage import write_folder, write_json

API = "seqloom_api = 1\n"

PARTS = (
    API
    + """
from typing import Annotated, Literal
from pydantic import Field
from seqloom.hooks import HeadSpec, MetricSpec, ModalitySpec, NoOptions, Options, TaskSpec, hookimpl

class WordsOptions(Options):
    lowercase: bool = Field(False, description="Whether case is lost.")
    rate: float | None = Field(None, gt=0, description="Readings a second.")

class Linear(Options):
    name: Literal["linear"] = Field("linear", description="linear or log.")
    factor: float = Field(1.0, description="What they are multiplied by.")

class Log(Options):
    name: Literal["log"] = Field("log", description="linear or log.")

class NumbersOptions(Options):
    scale: Annotated[Linear | Log, Field(discriminator="name")] = Field(Linear(), description="Of them.")

class EchoFlags(Options):
    loud: bool = Field(False, description="Shouts.")

def missing():
    import seqloom_no_such_code

@hookimpl
def seqloom_modalities():
    return [
        ModalitySpec(name="words", summary="Words", options=WordsOptions, load=missing,
                     takes_tokenizer=True),
        ModalitySpec(name="numbers", summary="Numbers", options=NumbersOptions, load=missing),
    ]

@hookimpl
def seqloom_heads():
    return [HeadSpec(name="scalar", summary="One number", options=NoOptions, load=missing)]

@hookimpl
def seqloom_tasks():
    tiny = {
        "tokenizers": {"joint": {"name": "word", "min_count": 2}},
        "model": {"width": 16, "encoder": {"name": "rnn", "hidden": 8},
                  "decoder": {"name": "rnn", "hidden": 8}, "attention": "additive"},
        "train": {"optimizer": {"name": "sgd", "momentum": 0.5}},
    }
    echo = dict(options=NoOptions, flags=EchoFlags, load=missing, job="task: echo  # says it again\\n")
    return [
        TaskSpec(name="echo", summary="Says it again", verb="echo", inputs={"source": "words"},
                 presets={"tiny": tiny, "small": {"model": {"width": 32}}}, **echo),
        TaskSpec(name="measure", summary="A number of two", verb="measure",
                 inputs={"left": "words", "right": "numbers"}, presets={}, target_tokenizer=False,
                 **{**echo, "job": ""}),
    ]
"""
)


class Shelf:
    """A registry and a folder of runs, with trainings in it that nobody had to wait for.

    Args:
        folder: Everything is in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"sqlite:///{folder}/registry.db"
        self.runs = folder / "runs"
        self.registry = Registry(self.url)

    def run(self, kind: str = "train", **facts: Any) -> Run:
        """A run with a folder; it has not ended."""
        run_id = new_run_id()
        folder = self.runs / run_id
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}\n")
        about = {"name": "de-en", "task": "translation", "config": {}, "seed": 7, "versions": {}}
        about |= {"device": "cpu", "device_reason": "asked for", "data": []}
        return self.registry.start_run(id=run_id, kind=kind, folder=str(folder), **(about | facts))

    def model(self, run: Run | None = None, weights: str = "weights") -> Model:
        """A model of a run that has finished, with a checkpoint beside it."""
        run = run or self.run()
        folder = Path(run.folder)
        write_folder(
            folder / "checkpoints" / "00000010", lambda aside: (aside / "state.json").write_text("{}")
        )
        digest = self.write_model(folder / "model", weights)
        score = Score(metric="bleu", value=31.5, split="valid", step=10, signature="nrefs:1")
        model = self.registry.add_model(
            "de-en", "translation", run.id, str(folder / "model"), digest, [score]
        )
        self.registry.end_run(run.id, "finished")
        return model

    def write_model(self, folder: Path, weights: str = "weights") -> str:
        """A model's folder; returns the sha256 of its manifest."""
        score = {"metric": "bleu", "value": 31.5, "split": "valid", "step": 10, "signature": "nrefs:1"}
        job = {"name": "de-en", "task": {"name": "translation"}, "train": {"seed": 7}}

        def write(aside: Path) -> None:
            (aside / "model.safetensors").write_text(weights)
            (aside / "tokenizers").mkdir()
            write_json(aside / "tokenizers" / "joint.json", {"ä": 1})
            write_json(aside / "config.json", {"job": job, "steps": 10, "versions": {"torch": "2.11.0"}})
            write_json(aside / "metrics.json", [score])

        return write_folder(folder, write)


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry's database in which nothing is yet; to make one anew takes the time of a test."""
    file = tmp_path_factory.mktemp("blank") / "registry.db"
    with Registry(f"sqlite:///{file}") as registry:
        registry.prepare()
    return file


@pytest.fixture(scope="session")
def new_shelf(blank: Path) -> Callable[[Path], AbstractContextManager[Shelf]]:
    """Makes a registry and a folder of runs in an empty folder."""

    @contextmanager
    def make(folder: Path) -> Iterator[Shelf]:
        shutil.copyfile(blank, folder / "registry.db")
        shelf = Shelf(folder)
        with shelf.registry:
            yield shelf

    return make


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, new_shelf: Any) -> Iterator[Shelf]:
    """A registry and a folder of runs, which commands find, too."""
    with new_shelf(tmp_path) as made:
        monkeypatch.setenv("SEQLOOM_REGISTRY", made.url)
        monkeypatch.setenv("SEQLOOM_RUNS", str(made.runs))
        yield made


SCENES = 13  # of scenes.py, a port each
Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs a plugin: ``install("imu", source)`` is module fake_imu of distribution seqloom-imu 0.1."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    made = []

    def make(name: str, source: str | None, *, distribution: str | None = None) -> Path:
        distribution = distribution or f"seqloom-{name}"
        module = distribution.replace("-", "_").replace("seqloom", "fake")
        info = site / f"{distribution.replace('-', '_')}-0.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 0.1\n")
        (info / "entry_points.txt").write_text(f"[seqloom]\n{name} = {module}\n")
        if source is not None:
            (site / f"{module}.py").write_text(source)
            made.append(module)
        importlib.invalidate_caches()
        return site

    yield make
    for module in made:
        sys.modules.pop(module, None)


@pytest.fixture
def parts(install: Install) -> Path:
    """Two tasks, two modalities and a head of a healthy plugin ``parts``; the folder that it is in."""
    return install("parts", PARTS)


@pytest.fixture(scope="session")
def labellings() -> Callable[[Tensor], dict[tuple[int, ...], float]]:
    """``labellings(log_probs)``: of positions [S, V + 1], each labelling's probability, path by path."""

    def add_up(log_probs: Tensor) -> dict[tuple[int, ...], float]:
        rows = log_probs.double().exp().tolist()
        blank = log_probs.shape[1] - 1
        found: dict[tuple[int, ...], float] = {}
        for path in itertools.product(range(blank + 1), repeat=len(rows)):
            said = tuple(label for label, _ in itertools.groupby(path) if label != blank)
            chance = math.prod(row[label] for row, label in zip(rows, path, strict=True))
            found[said] = found.get(said, 0) + chance
        return found

    return add_up


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What came of each scene of ``scenes.py`` on each of two ranks: ``scenes[1]["sums"]``."""
    folder = tmp_path_factory.mktemp("scenes")
    results = [folder / f"{rank}.json" for rank in (0, 1)]
    with ExitStack() as free:
        sockets = [free.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(SCENES)]
        ports = [str(one.getsockname()[1]) for one in sockets]
    world = os.environ | {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1"}
    ranks = [
        subprocess.Popen(
            [sys.executable, Path(__file__).with_name("scenes.py"), file, *ports],
            env=world | {"RANK": str(rank), "LOCAL_RANK": str(rank), "CUDA_VISIBLE_DEVICES": ""},
        )
        for rank, file in enumerate(results)
    ]
    try:
        assert [rank.wait(timeout=120) for rank in ranks] == [0, 0]
    finally:
        for rank in ranks:
            rank.kill()
            rank.wait()
    return [json.loads(file.read_text(encoding="utf-8")) for file in results]
