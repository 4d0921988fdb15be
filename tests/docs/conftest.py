from __future__ import annotations

import os
import random
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import pages
import shell

SUBJECTS = {"Ein Hund": "A dog", "Eine Katze": "A cat", "Ein Vogel": "A bird", "Ein Kind": "A child"}
VERBS = {"läuft": "runs", "schläft": "sleeps", "singt": "sings", "wartet": "waits"}
PLACES = {"": "", " im Garten": " in the garden", " am See": " at the lake"}

TINY = [
    *("train.steps=4", "train.batch_elements=256", "train.schedule.warmup=1", "evaluate.every=2"),
    *("tokenizers.joint.size=300", "model.width=16", "decode.max_length_factor=1"),
    *(f"model.{half}.{key}" for half in ("encoder", "decoder") for key in ("layers=1", "feed_forward=16")),
]


def write_sentences(folder: Path) -> None:
    """Parallel text as the pages have it."""
    pairs = [
        (f"{subject} {verb}{place}.", f"{SUBJECTS[subject]} {VERBS[verb]}{PLACES[place]}.")
        for subject in SUBJECTS
        for verb in VERBS
        for place in PLACES
    ]
    random.Random(1).shuffle(pairs)
    for name, part in {"train": pairs[:32], "valid": pairs[32:40], "test": pairs[40:]}.items():
        for side, language in enumerate(("de", "en")):
            text = "".join(f"{pair[side]}\n" for pair in part)
            (folder / f"{name}.{language}").write_text(text, encoding="utf-8")


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a reader: `seqloom` on the path, nothing of the project's set."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("SEQLOOM_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{own['PATH']}"
    data = tmp_path_factory.mktemp("data")
    (data / "de-en").mkdir()
    write_sentences(data / "de-en")
    return own | {"PATH": path, "SEQLOOM_DATA": str(data), "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="session")
def trained(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the quick start's job has been trained, though with a tiny model."""
    folder = tmp_path_factory.mktemp("trained")
    write_sentences(folder)
    quickstart = pages.ROOT / "docs" / "quickstart.md"
    [job] = [block for block in pages.blocks(quickstart) if block.order == "file"]
    (folder / job.detail).write_text(job.text, encoding="utf-8")
    overrides = [part for override in TINY for part in ("--set", override)]
    with pytest.MonkeyPatch.context() as patch:
        enter(patch, folder, environment)
        for command in (["train", job.detail, *overrides], ["models", "alias", "de-en/1", "champion"]):
            outcome = shell.seqloom(*command)
            assert outcome.status == 0, outcome.output
    return folder


def enter(patch: pytest.MonkeyPatch, folder: Path, environment: dict[str, str]) -> None:
    """Goes where a reader works."""
    patch.chdir(folder)
    for name in [name for name in os.environ if name.startswith("SEQLOOM_")]:
        patch.delenv(name)
    for name, value in environment.items():
        patch.setenv(name, value)


@pytest.fixture
def workspace(
    trained: Path, environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A copy of that folder, which is where one works, and that environment."""
    folder = tmp_path / "workspace"
    shutil.copytree(trained, folder)
    enter(monkeypatch, folder, environment)
    return folder
