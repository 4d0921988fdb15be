"""The translation demo, made small: data, a training, outputs, pictures, and a model to go on with."""

from __future__ import annotations

import json
import re
import shlex
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from matplotlib.image import imread
from typer.testing import Result

import seqloom as package
from seqloom.hooks import DemoRequest
from seqloom.registry.store import Registry
from seqloom_translation import demo as translation

Install = Callable[..., Path]
Seqloom = Callable[..., Result]

FOLDER = "my {own} demo"  # neither a space nor a brace is special
SIZES = {"TRAIN": 60, "VALID": 4, "TEST": 6}
SMALLER = {
    "{name: bpe, size: 1200}": "word",
    "width: 128": "width: 8",
    "layers: 2, heads: 4, feed_forward: 512": "layers: 1, heads: 2, feed_forward: 16",
    "steps: 400": "steps: 2",
    "every: 200": "every: 1",
}
SHORT = "decode: {beam: 2, max_length_factor: 0, max_length_offset: 4}\n"

OBSERVER = """
import os, signal
from seqloom.hooks import hookimpl
seqloom_api = 1

@hookimpl
def seqloom_run_started(run):
    if run.kind == "evaluate":
        os.kill(os.getpid(), signal.SIGINT)
"""


def small_job() -> str:
    job = translation.JOB
    for value, smaller in SMALLER.items():
        assert value in job
        job = job.replace(value, smaller)
    return job + SHORT


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where one works, with the demo's constants small and nothing else set."""
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SIZES.items():
            patch.setattr(translation, name, value)
        patch.setattr(translation, "JOB", small_job())
        for name in ("SEQLOOM_REGISTRY", "SEQLOOM_RUNS"):
            patch.delenv(name, raising=False)
        patch.chdir(folder)
        yield folder


@pytest.fixture(scope="module")
def shown(place: Path, seqloom: Seqloom) -> Result:
    """What ``seqloom demo translation`` says."""
    return seqloom("demo", "translation", "--folder", FOLDER)


def lines(place: Path, name: str) -> list[str]:
    return (place / FOLDER / "translation" / name).read_text(encoding="utf-8").splitlines()


def test_it_tells_facts_of_data_without_leaks(shown: Result, place: Path) -> None:
    pairs, leaks, nearest = shown.stderr.splitlines()[:3]
    assert pairs == "pairs: 60 for training, 4 for validation, 6 for the test"
    assert leaks == "test targets that occur in training: 0"
    assert re.fullmatch(r"BLEU of copying the nearest training target: \d+\.\d", nearest)
    assert [len(lines(place, f"{split}.en")) for split in ("train", "valid", "test")] == [60, 4, 6]
    assert not set(lines(place, "train.es")) & set(lines(place, "test.es"))


def test_it_tells_the_scores_that_the_registry_keeps(shown: Result, place: Path) -> None:
    with Registry() as registry:
        runs = registry.runs(where="kind = 'evaluate'")
    (run,) = [run for run in runs if run.model == "models:/demo-translation/1"]
    told = re.findall(r"^test (\w+) ([\d.]+) \((.+)\)$", shown.stderr, re.MULTILINE)
    kept = [(score.metric, f"{score.value:.2f}", score.signature) for score in run.scores]
    assert sorted(told) == sorted(kept)
    assert {metric for metric, _, _ in told} == {"ppl", "accuracy", "bleu", "chrf"}
    assert {score.split for score in run.scores} == {"test"}
    assert run.status == "finished"


def test_it_shows_five_outputs_beside_their_references(shown: Result, place: Path) -> None:
    tried = re.findall(r"\n  input      (.*)\n  output     (.*)\n  reference  (.*)\n", shown.stderr)
    inputs, outputs, references = map(list, zip(*tried, strict=True))
    assert inputs == lines(place, "test.en")[:5]
    assert references == lines(place, "test.es")[:5]
    assert outputs == package.load("models:/demo-translation/1").predict(inputs)
    assert all(outputs)


def test_it_draws_a_picture_of_each(shown: Result, place: Path) -> None:
    folder = Path(FOLDER) / "translation" / "attention"
    pictures = [str(folder / f"{number:04d}.png") for number in range(1, 6)]
    assert re.findall(r"^wrote (.*)$", shown.stderr, re.MULTILINE) == pictures
    for picture in pictures:
        pixels = imread(place / picture)[..., :3]
        assert min(pixels.shape[:2]) > 200
        assert pixels.std() > 0.01


def test_the_model_is_registered(shown: Result, place: Path) -> None:
    assert re.search(r"registered models:/demo-translation/1 after \d+ s; try next:", shown.stderr)
    with Registry() as registry:
        model = registry.model("demo-translation/1")
        run = registry.run(str(model.run_id))
    assert (model.task, run.seed, run.config["train"]["steps"]) == ("translation", 1, 2)
    assert Path(model.folder).is_relative_to(place / "runs")


def test_the_commands_to_try_next_work(shown: Result, place: Path, seqloom: Seqloom) -> None:
    commands = [shlex.split(line) for line in shown.stdout.splitlines()]
    assert [command[:3] for command in commands] == [
        ["seqloom", "translate", "demo-translation/1"],
        ["seqloom", "models", "show"],
        ["seqloom", "translate", "demo-translation/1"],
    ]
    sentence, model, file = (seqloom(*command[1:]).stdout for command in commands)
    assert len(sentence.splitlines()) == 1
    assert "models:/demo-translation/1" in model
    assert [json.loads(line)["source"] for line in file.splitlines()] == lines(place, "test.en")


def test_another_seed_is_another_demo_over_the_first(place: Path, seqloom: Seqloom) -> None:
    folder = place / "again" / "translation"
    folder.mkdir(parents=True)
    translation.make_demo(DemoRequest(folder=str(folder), seed=1))
    first = (folder / "train.en").read_text(encoding="utf-8").splitlines()
    result = seqloom("demo", "translation", "--folder", "again", "--seed", "2")
    second = (folder / "train.en").read_text(encoding="utf-8").splitlines()
    assert len(first) == len(second) == 60
    assert first != second
    model = result.stdout.split()[2]
    with Registry() as registry:
        assert registry.run(str(registry.model(model).run_id)).seed == 2


@pytest.fixture
def terminal() -> Iterator[None]:
    """Ctrl-C as in a terminal: a shell has commands in its background ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("terminal")
def test_a_signal_while_scoring_ends_it(place: Path, install: Install, seqloom: Seqloom) -> None:
    install("impatient", OBSERVER)
    result = seqloom("demo", "translation", "--folder", "stopped", code=130)
    assert result.stdout == ""
    assert "stopping after this step" not in result.stderr
    assert result.stderr.endswith("interrupted\n")


@pytest.mark.usefixtures("parts")
def test_a_task_without_a_demo_says_so(
    tmp_path: Path, seqloom: Seqloom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert seqloom("demo", "echo", code=78).stderr == "error: the task echo has no demo\n"
    assert "Did you mean 'translation'?" in seqloom("demo", "translaton", code=78).stderr
    assert not (tmp_path / "seqloom-demo").exists()
