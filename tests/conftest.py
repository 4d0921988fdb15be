"""What tests share: generated data, small jobs, the command line, and one trained translator."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from filelock import FileLock
from hatchling.builders.wheel import WheelBuilder

from seqloom.build import Builder
from seqloom.catalog import Catalog
from seqloom.checkpoint import Checkpoints
from seqloom.data.dataset import Dataset
from seqloom.data.loader import Loader
from seqloom.data.manifest import read_examples
from seqloom.device import choose_device
from seqloom.jobfile import Job, load_job
from seqloom.judging import Goal, Judging
from seqloom.registry.records import Model, Run, Score
from seqloom.registry.runs import new_run_id
from seqloom.registry.store import Registry
from seqloom.site import Site
from seqloom.storage import write_folder, write_json
from seqloom.trainer import Trainer

sys.path.insert(0, str(Path(__file__).parent))
import postgres as own_postgres

JOB = """\
task: translation
name: reverser
device: cpu
data:
  train: {source: train.src, target: train.tgt}
  valid: {source: valid.src, target: valid.tgt}
  test: {source: test.src, target: test.tgt}
tokenizers: {joint: word}
model:
  width: 32
  encoder: {name: transformer, layers: 1, heads: 2, feed_forward: 64, dropout: 0.1}
  decoder: {name: transformer, layers: 1, heads: 2, feed_forward: 64, dropout: 0.1}
train:
  steps: 4
  batch_elements: 256
  learning_rate: 0.01
  schedule: {name: cosine, warmup: 20}
  log_every: 1
evaluate: {every: 2}
"""


ROOT = Path(__file__).parents[1]
PERPLEXITY = Goal("ppl", higher_is_better=False)


@dataclass(frozen=True)
class Workplace:
    """A folder with data, a job, a registry and runs of its own.

    Attributes:
        folder: Everything is in it.
    """

    folder: Path

    @property
    def job(self) -> Path:
        return self.folder / "job.yaml"

    @property
    def registry(self) -> str:
        return f"sqlite:///{self.folder / 'registry.db'}"

    @property
    def environment(self) -> dict[str, str]:
        own = {"SEQLOOM_REGISTRY": self.registry, "SEQLOOM_RUNS": str(self.folder / "runs")}
        return os.environ | own | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "NO_COLOR": "1"}

    def command(self, *arguments: object) -> list[str]:
        return [sys.executable, "-c", "from seqloom.cli.main import main; main()", *map(str, arguments)]

    def run(
        self, *arguments: object, stdin: str | bytes = "", code: int = 0
    ) -> subprocess.CompletedProcess[str]:
        """Runs ``seqloom`` with the arguments in the folder, and checks its exit code."""
        given = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            self.command(*arguments),
            input=given,
            capture_output=True,
            cwd=self.folder,
            env=self.environment,
            check=False,
        )
        text = subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )
        assert text.returncode == code, text.stderr
        assert "Traceback" not in text.stderr
        return text

    def lines(self, name: str) -> list[str]:
        return (self.folder / name).read_text(encoding="utf-8").splitlines()


def write_digits(folder: Path, counts: Mapping[str, int]) -> None:
    """Strings of digits, and the same from the end."""
    rng = random.Random(1)
    for name, count in counts.items():
        rows = [rng.choices("0123456789", k=rng.randint(2, 5)) for _ in range(count)]
        for side, order in (("src", 1), ("tgt", -1)):
            text = "".join(" ".join(row[::order]) + "\n" for row in rows)
            (folder / f"{name}.{side}").write_text(text, encoding="utf-8")


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    """An empty registry, a little data and a job of 4 steps; in-process code finds them, too."""
    write_digits(tmp_path, {"train": 40, "valid": 6, "test": 6})
    place = Workplace(tmp_path)
    place.job.write_text(JOB, encoding="utf-8")
    monkeypatch.setenv("SEQLOOM_REGISTRY", place.registry)
    monkeypatch.setenv("SEQLOOM_RUNS", str(tmp_path / "runs"))
    return place


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return Catalog.from_environment()


LoadJob = Callable[..., Job]


@pytest.fixture
def job(workplace: Workplace, catalog: Catalog) -> LoadJob:
    """``job("train.steps=9")``: the workplace's job with some keys changed."""
    return lambda *overrides: load_job(workplace.job, catalog, overrides)


@pytest.fixture
def site(workplace: Workplace, catalog: Catalog) -> Iterator[Site]:
    """Where this workplace's jobs run."""
    with Registry(workplace.registry) as registry:
        yield Site(catalog, registry, workplace.folder / "runs")


@pytest.fixture
def builder(job: LoadJob, catalog: Catalog) -> Callable[..., Builder]:
    """``builder("model.width=8")``."""
    return lambda *overrides: Builder(job(*overrides).config, catalog)


@pytest.fixture
def trainer(job: LoadJob, catalog: Catalog, workplace: Workplace) -> Callable[..., Trainer]:
    """``trainer("train.steps=9", folder="a", values=[3, 2])``: a job's trainer.

    Its judge gives the values one after another, then 1, unless ``judge`` is another.
    """

    def make(
        *overrides: str,
        folder: str = "checkpoints",
        values: list[float] | None = None,
        goal: Goal = PERPLEXITY,
        **options: Any,
    ) -> Trainer:
        loaded = job(*overrides)
        config = loaded.config
        made = Builder(config, catalog)
        examples = list(read_examples(config.data.train, loaded.root, made.slots()))
        kit = made.kit(made.fit_tokenizers(located.example for located in examples))
        dataset = Dataset.load(examples, kit.modalities, kit.task.read_target, config.data.max_length)
        torch.manual_seed(config.train.seed)
        left = list(values or [])

        def judge(model: Any, step: int) -> list[Score]:
            value = left.pop(0) if left else 1.0
            return [Score(metric=goal.metric, value=value, split="valid", step=step, signature="")]

        listeners = options.pop("listeners", ())
        trainer = Trainer(
            made.model(kit),
            Loader(dataset, config.train.seed, config.data.workers),
            Judging(options.pop("judge", judge), goal, config.evaluate.every, config.evaluate.patience),
            config.train,
            device=choose_device(config.device, config.dtype),
            checkpoints=Checkpoints(workplace.folder / folder),
            **options,
        )
        trainer.listeners = listeners
        return trainer

    return make


@pytest.fixture(scope="session")
def postgres() -> Iterator[own_postgres.Server]:
    """A PostgreSQL server that runs."""
    if reason := own_postgres.why_not():
        pytest.skip(reason)
    with own_postgres.running() as server:
        yield server


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """A place where ``seqloom train`` has made models:/reverser/1, once for all; do not change it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "trained"
    place = Workplace(folder)
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "done").exists():
            folder.mkdir()
            write_digits(folder, {"train": 600, "valid": 20, "test": 70})
            place.job.write_text(JOB, encoding="utf-8")
            options = ["train.steps=300", "evaluate.every=150", "evaluate.metrics=[bleu]"]
            options += ["model.encoder.dropout=0", "model.decoder.dropout=0", "train.batch_elements=512"]
            place.run("train", "job.yaml", *(f"--set={option}" for option in options))
            (folder / "done").touch()
    return place


# What is registered ------------------------------------------------------------------------------------


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


# What a user installs ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheels of the core (``seqloom``) and of every first-party plugin, by distribution."""
    folder = tmp_path_factory.mktemp("wheels")
    made = {}
    for project in (ROOT, *sorted(file.parent for file in ROOT.glob("plugins/*/pyproject.toml"))):
        [wheel] = WheelBuilder(str(project)).build(directory=str(folder), versions=["standard"])
        made[Path(wheel).name.partition("-")[0].replace("_", "-")] = Path(wheel)
    return made


@pytest.fixture(scope="session")
def borrowed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Links to all that is installed here but Seqloom and its plugins: torch is not installed twice."""
    folder = tmp_path_factory.mktemp("borrowed")
    for place in [Path(entry) for entry in sys.path if Path(entry).name == "site-packages"]:
        for item in place.iterdir():
            is_ours = "seqloom" in item.name.lower() or item.suffix == ".pth"
            if not is_ours and item.name != "__pycache__" and not (folder / item.name).is_symlink():
                (folder / item.name).symlink_to(item)
    return folder


@dataclass(frozen=True)
class Environment:
    """A Python environment of its own, without Seqloom unless somebody installs it.

    Attributes:
        folder: Where it is.
    """

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def variables(self) -> dict[str, str]:
        """Those of a user who works in it; pip asks no index and builds with what is there."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SEQLOOM_"))
        }
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        pip = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        return (
            kept | pip | {"PATH": path, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "NO_COLOR": "1"}
        )

    def run(self, *words: object, cwd: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Runs a command of this environment in a folder, and checks its exit code."""
        command = [str(self.folder / "bin" / str(words[0])), *map(str, words[1:])]
        done = subprocess.run(
            command, capture_output=True, cwd=cwd, env=self.variables, text=True, check=False
        )
        assert done.returncode == code, f"{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done


@pytest.fixture(scope="session")
def fresh(borrowed: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Environment]:
    """``fresh(wheel, …)``: a new environment with these wheels, installed by pip without their needs."""

    def make(*installed: Path) -> Environment:
        environment = Environment(tmp_path_factory.mktemp("environment"))
        venv.create(environment.folder, symlinks=True)
        [packages] = environment.folder.glob("lib/python*/site-packages")
        (packages / "borrowed.pth").write_text(f"{borrowed}\n")
        pip = ("python", "-m", "pip", "install", "--quiet", "--no-deps")
        environment.run(*pip, *installed, cwd=environment.folder)
        return environment

    return make
