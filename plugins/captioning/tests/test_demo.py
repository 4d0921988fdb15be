"""The captioning demo, made small: scenes, a training, captions, panels, and commands that work."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from seqloom.catalog import Catalog
from seqloom.cli.main import build_app
from seqloom_captioning import demo

SMALLER = {"width: 96": "width: 8", "hidden: 128": "hidden: 8", "[16, 32, 64]": "[8, 8, 8]"}


def seqloom(*words: str) -> Result:
    result = CliRunner().invoke(build_app(Catalog.from_environment()), words)
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("demo")
    job = re.sub(r"steps: \d+", "steps: 2", re.sub(r"every: \d+", "every: 2", demo.JOB))
    for value, smaller in SMALLER.items():
        assert value in job
        job = job.replace(value, smaller)
    with pytest.MonkeyPatch.context() as patch:
        for name, size in (("TRAIN", 64), ("VALID", 4), ("TEST", 6)):
            patch.setattr(demo, name, size)
        patch.setattr(demo, "JOB", job.replace("beam: 1", "beam: 1, max_length_offset: 12"))
        for name in ("SEQLOOM_REGISTRY", "SEQLOOM_RUNS", "SEQLOOM_CACHE"):
            patch.delenv(name, raising=False)
        patch.chdir(folder)
        yield folder


@pytest.fixture(scope="module")
def shown(place: Path) -> Result:
    return seqloom("demo", "captioning", "--folder", "my demo")


def test_it_says_what_is_new_in_the_test(shown: Result) -> None:
    assert shown.stderr.startswith("scenes: 64 for training, 4 for validation, 6 for the test\n")
    assert "test captions that occur in training: 0" in shown.stderr
    told = re.findall(r"^test (\S+) [\d.]+ \(.+\)$", shown.stderr, re.MULTILINE)
    assert told == ["ppl", "accuracy", "exact", "bleu4", "nearest/exact", "nearest/bleu4"]


def test_panels_of_five_scenes_are_drawn(shown: Result, place: Path) -> None:
    files = re.findall(r"^wrote (.*)$", shown.stderr, re.MULTILINE)
    assert [Path(file).name for file in files] == [f"000{n}-000{n}.png" for n in range(1, 6)]
    for file in files:
        with Image.open(place / file) as drawn:
            assert drawn.size[0] > 160


def test_the_commands_to_try_next_work(shown: Result, place: Path) -> None:
    one, sheet, model = (shlex.split(line) for line in shown.stdout.splitlines())
    assert len(seqloom(*one[1:]).stdout.splitlines()) == 1
    assert len(seqloom(*sheet[1:]).stdout.splitlines()) == 6
    assert (place / "my demo" / "captioning" / "sheet" / "index.html").is_file()
    assert "models:/demo-captioning/1" in seqloom(*model[1:]).stdout
