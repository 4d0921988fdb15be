"""From pictures with captions to a model, and from files, folders, patterns and archives to captions."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from PIL import Image
from typer.testing import CliRunner, Result

import seqloom
from seqloom.catalog import Catalog
from seqloom.cli.main import build_app
from seqloom.data.blobs import read_bytes
from seqloom.errors import DataError

COLOURS = ("red", "green", "blue", "white", "black", "yellow")
JOB = """\
task: captioning
preset: show-attend-tell
name: colours
device: cpu
data:
  train: {file: train.jsonl, columns: {image: image, target: captions}}
  valid: {file: valid.tar, columns: {image: png, target: captions}}
  test: {file: valid.tar, columns: {image: png, target: captions}}
inputs: {image: {name: image, size: 16, frontend: {name: cnn, channels: [8, 16], blocks: 1}}}
tokenizers: {target: word}
model:
  width: 16
  attention: {name: additive, hidden: 8}
  decoder: {hidden: 16, dropout: 0.0, input_feeding: false}
  head: {coverage: 0.0}
train: {steps: 60, batch_elements: 64, learning_rate: 0.02, schedule: {name: constant, warmup: 1}}
evaluate: {every: 60, metrics: [exact, cider_d], best: exact, baselines: [nearest, frequent]}
decode: {beam: 2}
"""

Seqloom = Callable[..., Result]


def png(colour: str) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (20, 18), colour).save(content, "PNG")
    return content.getvalue()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where one works: pictures of one colour each, with two captions, and a job that learns them."""
    folder = tmp_path_factory.mktemp("captions")
    (folder / "pictures" / "more").mkdir(parents=True)
    rows = []
    for number, colour in enumerate(COLOURS):
        name = f"pictures/{'more/' if number > 3 else ''}{colour}.png"
        (folder / name).write_bytes(png(colour))
        rows.append({"image": name, "captions": [f"all {colour}", f"it is {colour}"]})
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with tarfile.open(folder / "valid.tar", "w") as tar:
        for row, colour in zip(rows, COLOURS, strict=True):
            for suffix, data in (("png", png(colour)), ("json", json.dumps(row).encode())):
                member = tarfile.TarInfo(f"{colour}.{suffix}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    (folder / "job.yaml").write_text(JOB)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("SEQLOOM_REGISTRY", "SEQLOOM_RUNS", "SEQLOOM_CACHE"):
            patch.delenv(name, raising=False)
        yield folder


@pytest.fixture(scope="module")
def seqloom_says() -> Seqloom:
    """``seqloom_says("caption", model, "1.png", code=0)``."""

    def run(*words: object, code: int = 0) -> Result:
        app = build_app(Catalog.from_environment())
        result = CliRunner().invoke(app, [str(word) for word in words])
        assert result.exit_code == code, result.output
        return result

    return run


@pytest.fixture(scope="module")
def model(place: Path, seqloom_says: Seqloom) -> str:
    return seqloom_says("train", "job.yaml").stdout.strip()


@pytest.fixture
def caption(model: str, seqloom_says: Seqloom) -> Seqloom:
    return lambda *words, code=0: seqloom_says("caption", model, *words, code=code)


def test_what_it_has_learned_it_says(caption: Seqloom) -> None:
    said = caption("pictures/red.png", "pictures/more/black.png").stdout.splitlines()
    assert [line.split()[-1] for line in said] == ["red", "black"]
    assert all(line.startswith(("all ", "it is ")) for line in said)


def test_folders_and_patterns_are_their_files(caption: Seqloom) -> None:
    records = [
        json.loads(line)
        for line in caption("pictures", "pic*/r*.png", "--format", "jsonl").stdout.splitlines()
    ]
    names = ["blue", "green", "more/black", "more/yellow", "red", "white", "red"]
    assert [record["image"] for record in records] == [f"pictures/{name}.png" for name in names]
    assert [record["id"] for record in records] == list(range(7))
    for record, name in zip(records, names, strict=True):
        assert record["outputs"][0]["text"].endswith(name.rpartition("/")[2])


def test_names_may_be_lines_of_a_file(place: Path, caption: Seqloom) -> None:
    (place / "list.txt").write_text("pictures/red.png\npictures/blue.png\n")
    assert len(caption("--input", "list.txt").stdout.splitlines()) == 2
    (place / "list.txt").write_text("pictures/red.png\npictures/rod.png\n")
    refused = caption("--input", "list.txt", code=65)
    assert "list.txt:2: no file 'pictures/rod.png'. Did you mean 'red.png'?" in refused.stderr
    assert refused.stdout == ""


def test_what_is_missing_is_told_before_anything_is_said(caption: Seqloom) -> None:
    for name, message in (
        ("pictures/rod.png", "<arguments>:2: no file 'pictures/rod.png'. Did you mean 'red.png'?"),
        ("*.gif", "<arguments>:2: '*.gif' matches no file that ends in"),
    ):
        refused = caption("pictures/red.png", name, code=65)
        assert message in refused.stderr
        assert refused.stdout == ""


def test_what_is_no_picture_is_named(place: Path, caption: Seqloom) -> None:
    (place / "broken.png").write_bytes(png("red")[:60])
    assert "broken.png" in caption("broken.png", code=65).stderr


def test_panels_and_sheets_are_written(place: Path, caption: Seqloom) -> None:
    said = caption("pictures/more", "--attention", "looks", "--sheet", "sheets").stderr.splitlines()
    files = ["looks/0001-black.png", "looks/0002-yellow.png", "sheets/index.html", "sheets/sheet-1.png"]
    assert [line for line in said if line.startswith("wrote")] == [f"wrote {file}" for file in files]
    assert all((place / file).stat().st_size > 500 for file in files)


def test_a_model_is_judged_by_all_captions_beside_baselines(model: str, seqloom_says: Seqloom) -> None:
    scores = {
        score["metric"]: score["value"]
        for score in json.loads(seqloom_says("evaluate", model, "--json").stdout)
    }
    assert scores["exact"] == scores["nearest/exact"] == 100  # any of its captions is one
    assert scores["frequent/exact"] == pytest.approx(100 / 6)
    assert scores["cider_d"] > scores["frequent/cider_d"]
    table = seqloom_says("evaluate", model).stdout.splitlines()
    assert table[0].split() == ["score", "value", "nearest", "frequent", "split", "signature"]
    assert len(table) == 5


def test_python_takes_them_too(model: str) -> None:
    predictor = seqloom.load(model, device="cpu")
    assert [text.split()[-1] for text in predictor.predict(["pictures/more"])] == ["black", "yellow"]
    with pytest.raises(DataError, match=r"no file 'red\.png'"):
        predictor.predict(["pictures/red.png", "red.png"])


def test_pictures_of_an_archive_are_read_where_they_lie(place: Path) -> None:
    assert read_bytes(str(place / "valid.tar" / "red.png")) == png("red")


def test_the_job_to_start_from_is_the_tasks(place: Path, seqloom_says: Seqloom) -> None:
    seqloom_says("init", "captioning", place / "new.yaml")
    assert yaml.safe_load((place / "new.yaml").read_text())["task"] == "captioning"
