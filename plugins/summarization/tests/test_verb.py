"""From texts with summaries to a model, and from texts long and short to summaries as long as asked for."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from seqloom.catalog import Catalog
from seqloom.cli.main import build_app
from seqloom.jobfile import load_job

NOISE = ["so", "it", "was", "and", "will", "be", "in", "all", "of", "them"]
NAMES = [first + last for first in ("ba", "ko", "mi", "tu") for last in ("dor", "len", "rik", "sun", "wex")]
JOB = """\
task: {name: summarization}
preset: lstm
name: news
device: cpu
data:
  train: {file: train.jsonl, columns: {source: text, target: titles}}
  valid: {file: valid.jsonl, columns: {source: text, target: titles}}
  test: {file: valid.jsonl, columns: {source: text, target: titles}}
tokenizers: {joint: {name: bpe, size: 300}}
model:
  width: 24
  encoder: {hidden: 24, dropout: 0.0}
  attention: {hidden: 16}
  decoder: {hidden: 32, dropout: 0.0}
train: {steps: 150, batch_elements: 640, learning_rate: 0.02, schedule: {name: cosine, warmup: 10}}
evaluate: {every: 150}
decode: {beam: 2, max_length_offset: 12}
"""

Seqloom = Callable[..., Result]


def news(rng: random.Random) -> dict[str, object]:
    """Three sentences as a list, one of which says who won: the title, which has two references."""
    winner = rng.choice(NAMES)
    noise = [" ".join(rng.choices(NOISE, k=3)).capitalize() + "." for _ in range(2)]
    text = [*noise, f"There {winner} won."]
    rng.shuffle(text)
    return {"text": text, "titles": [f"{winner} won", f"{winner} wins"]}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder, rng = tmp_path_factory.mktemp("news"), random.Random(1)
    for name, count in (("train", 150), ("valid", 20)):
        lines = "".join(json.dumps(news(rng)) + "\n" for _ in range(count))
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    (folder / "job.yaml").write_text(JOB, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("SEQLOOM_REGISTRY", "SEQLOOM_RUNS", "SEQLOOM_CACHE"):
            patch.delenv(name, raising=False)
        yield folder


@pytest.fixture(scope="module")
def seqloom_says() -> Seqloom:
    """``seqloom_says("summarize", model, "A text.", code=0)``."""

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
def summarize(model: str, seqloom_says: Seqloom) -> Seqloom:
    return lambda *words, code=0: seqloom_says("summarize", model, *words, code=code)


def test_what_is_said_somewhere_is_said_in_short(summarize: Seqloom) -> None:
    said = summarize(
        "So it was. There korik won. It will be.", "THERE TUSUN WON. In all of them. It was so."
    )
    assert [line.split()[0] for line in said.stdout.splitlines()] == ["korik", "tusun"]


def test_a_long_document_has_the_summaries_of_its_pieces(summarize: Seqloom) -> None:
    texts = ["There bador won. So it was.", "It will be in all. There milen won."]
    alone = summarize(*texts).stdout.splitlines()
    whole = " ".join(texts)
    record = json.loads(summarize(whole, "--piece", "20", "--format", "jsonl").stdout)["outputs"][0]
    assert len(record["pieces"]) > 1
    assert record["text"] == " ".join(record["pieces"])
    assert {line.split()[0] for line in alone} <= set(record["text"].split())
    assert "pieces" not in json.loads(summarize(whole, "--format", "jsonl").stdout)["outputs"][0]


def test_summaries_are_as_long_as_asked_for(summarize: Seqloom) -> None:
    def tokens(*flags: str) -> int:
        said = summarize("There korik won. So it was.", "--format", "jsonl", *flags).stdout
        return len(json.loads(said)["outputs"][0]["tokens"])

    free = tokens()
    assert tokens("--min-length", str(free + 4), "--max-length", str(free + 4)) == free + 4
    assert tokens("--min-length", str(free + 2)) >= free + 2
    assert tokens("--max-length", "2") <= 2 < free
    refused = summarize("A text.", "--min-length", "3", "--max-length", "2", code=2)
    assert "--min-length 3 is more than --max-length 2" in refused.stderr


def test_a_model_is_judged_beside_the_lead_with_all_references(model: str, seqloom_says: Seqloom) -> None:
    scores = {
        score["metric"]: score for score in json.loads(seqloom_says("evaluate", model, "--json").stdout)
    }
    assert scores["rouge1"]["value"] > 90
    assert 0 < scores["lead/rouge1"]["value"] < 70
    assert "refs:best" in scores["rouge1"]["signature"]
    assert scores["lead/rougel"]["signature"].endswith("|baseline:lead")
    first = seqloom_says("evaluate", model).stdout.splitlines()[0].split()
    assert first == ["score", "value", "lead", "split", "signature"]


def test_the_job_to_start_from_is_the_tasks(place: Path, seqloom_says: Seqloom) -> None:
    seqloom_says("init", "summarization", place / "new.yaml")
    assert yaml.safe_load((place / "new.yaml").read_text())["task"]["name"] == "summarization"
    (place / "new.yaml").write_text(
        (place / "new.yaml").read_text().replace("target: summary", "target: titles")
    )
    assert load_job(place / "new.yaml", Catalog.from_environment()).config.evaluate.baselines == ("lead",)
