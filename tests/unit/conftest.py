"""Throw-away distributions: plugins as a user would install them, in a folder on ``sys.path``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

API = "seqloom_api = 1\n"

PARTS = (
    API
    + """
from pydantic import Field
from seqloom.hooks import HeadSpec, MetricSpec, ModalitySpec, NoOptions, Options, TaskSpec, hookimpl

class WordsOptions(Options):
    lowercase: bool = Field(False, description="Whether case is lost.")
    rate: float | None = Field(None, gt=0, description="Readings a second.")

class EchoFlags(Options):
    loud: bool = Field(False, description="Shouts.")

def missing():
    import seqloom_no_such_code

@hookimpl
def seqloom_modalities():
    return [
        ModalitySpec(name="words", summary="Words", options=WordsOptions, load=missing,
                     takes_tokenizer=True),
        ModalitySpec(name="numbers", summary="Numbers", options=NoOptions, load=missing),
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
