"""Throw-away distributions (plugins as a user would install them), and scenes that two processes play."""

from __future__ import annotations

import importlib
import itertools
import json
import math
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parent))  # for family.py

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
