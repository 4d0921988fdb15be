"""A model folder: all of it there, true, and the model that was trained."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from seqloom.build import Builder, Kit
from seqloom.catalog import Catalog
from seqloom.data.manifest import read_examples
from seqloom.device import choose_device
from seqloom.errors import CorruptError
from seqloom.export import export_model
from seqloom.jobfile import Job
from seqloom.model import Seq2Seq
from seqloom.predictor import Predictor
from seqloom.registry.records import Score
from seqloom.storage import verify_folder
from seqloom.trainer import Outcome

PLAIN = [Score(metric="ppl", value=9.876, split="valid", step=4, signature="token:word|size:14")]
VERSIONS = {"seqloom": "0.9", "torch": "2.99"}
RECURRENT = (
    "model.encoder={name: rnn, layers: 1, hidden: 8}",
    "model.decoder={name: rnn, layers: 1, hidden: 8}",
    "model.attention=additive",
)

ROW = re.compile(r"(?<!\\)\|")  # a cell's end, as GitHub Flavored Markdown has it


class Studio:
    """A model with fresh weights, and where to export it."""

    def __init__(self, job: Job, catalog: Catalog, folder: Path) -> None:
        self.job = job
        self.catalog = catalog
        self.folder = folder
        self.builder = Builder(job.config, catalog)
        examples = read_examples(job.config.data.train, job.root, self.builder.slots())
        tokenizers = self.builder.fit_tokenizers(located.example for located in examples)
        self.kit: Kit = self.builder.kit(tokenizers)
        self.model = self.fresh(1)

    def fresh(self, seed: int) -> Seq2Seq:
        torch.manual_seed(seed)
        return self.builder.model(self.kit)

    def export(self, *, step: int = 4, averaged: tuple[int, ...] = (4,), scores: Any = PLAIN) -> str:
        outcome = Outcome(step=step, scores=scores, averaged=averaged)
        return export_model(self.folder, self.builder, self.model, self.kit.tokenizers, outcome, VERSIONS)

    def loaded(self) -> Predictor:
        return Predictor.load(self.folder, self.catalog, device="cpu")

    def card(self) -> str:
        return (self.folder / "README.md").read_text(encoding="utf-8")

    def json(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text(encoding="utf-8"))


MakeStudio = Callable[..., Studio]


@pytest.fixture
def studio(job: Callable[..., Job], catalog: Catalog, tmp_path: Path) -> MakeStudio:
    """``studio("model.width=8")``."""
    return lambda *overrides: Studio(job(*overrides), catalog, tmp_path / "model")


def row(card: str, name: str) -> list[str]:
    """The cells of the row of a card's tables that begins with a name."""
    (line,) = [line for line in card.splitlines() if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in ROW.split(line)[1:-1]]


# Files -------------------------------------------------------------------------------------------------


def test_every_file_is_there_and_in_the_manifest(studio: MakeStudio) -> None:
    made = studio("tokenizers={source: word, target: char}")
    digest = made.export()
    files = {path.relative_to(made.folder).as_posix() for path in made.folder.rglob("*") if path.is_file()}
    held = {"config.json", "generation_config.json", "metrics.json", "model.safetensors", "README.md"}
    held |= {"tokenizers/source.json", "tokenizers/target.json"}
    assert files == held | {"manifest.json"}
    assert set(made.json("manifest.json")["sha256"]) == held
    assert verify_folder(made.folder) == digest


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizers/joint.json", "README.md"])
def test_the_manifest_knows_each_byte(studio: MakeStudio, name: str) -> None:
    made = studio()
    made.export()
    content = bytearray((made.folder / name).read_bytes())
    content[-2] ^= 1
    (made.folder / name).write_bytes(content)
    with pytest.raises(CorruptError, match=name):
        verify_folder(made.folder)


def test_what_programs_read(studio: MakeStudio) -> None:
    made = studio("decode.beam=3", "train.seed=7")
    made.export(step=12)
    config = made.json("config.json")
    assert (config["steps"], config["versions"]) == (12, VERSIONS)
    assert config["job"] == made.job.config.model_dump(mode="json")
    assert config["job"]["train"]["seed"] == 7
    assert made.json("generation_config.json") == config["job"]["decode"]
    assert made.json("generation_config.json")["beam"] == 3
    assert [Score(**score) for score in made.json("metrics.json")] == PLAIN


def test_exporting_again_replaces_all(studio: MakeStudio) -> None:
    made = studio()
    first = made.export()
    (made.folder / "note.txt").write_text("mine", encoding="utf-8")
    made.model = made.fresh(2)
    second = made.export(step=8)
    assert first != second == verify_folder(made.folder)
    assert made.json("config.json")["steps"] == 8
    assert not (made.folder / "note.txt").exists()
    assert [path.name for path in made.folder.parent.glob(".model*")] == []
    for name, weight in made.loaded().model.weights().items():
        assert torch.equal(weight, made.model.weights()[name])


# The card ----------------------------------------------------------------------------------------------


def test_the_card_of_one_checkpoint(studio: MakeStudio) -> None:
    made = studio("train.seed=7")
    made.export()
    card = made.card()
    parameters = sum(parameter.numel() for parameter in made.model.parameters())
    assert card.startswith("# reverser\n\nA model for translation, trained by seqloom 0.9.\n")
    assert row(card, "parameters") == ["parameters", f"{parameters:,}"]
    parts = "encoder transformer, decoder transformer, head sequence"
    assert row(card, "parts") == ["parts", parts]
    assert row(card, "weights") == ["weights", "the checkpoint at step 4"]
    assert row(card, "seed") == ["seed", "7"]
    assert row(card, "data") == ["data", "train.src, train.tgt"]


def test_the_card_of_averaged_checkpoints(studio: MakeStudio) -> None:
    made = studio()
    made.export(averaged=(2, 3, 4))
    assert row(made.card(), "weights")[1] == "the mean of the checkpoints at steps 2, 3, 4"


def test_the_card_names_an_attention_and_a_table(studio: MakeStudio, workplace: Any) -> None:
    (workplace.folder / "train.tsv").write_text("1 2\t2 1\n3\t3\n", encoding="utf-8")
    files, table = (
        "{source: train.src, target: train.tgt}",
        "{file: train.tsv, columns: {source: 0, target: 1}}",
    )
    workplace.job.write_text(
        workplace.job.read_text(encoding="utf-8").replace(files, table), encoding="utf-8"
    )
    made = studio(*RECURRENT)
    made.export()
    parts = "encoder rnn, attention additive, decoder rnn, head sequence"
    assert row(made.card(), "parts") == ["parts", parts]
    assert row(made.card(), "data") == ["data", "train.tsv"]


def test_the_card_names_every_part_of_the_data(studio: MakeStudio, tmp_path: Path) -> None:
    (tmp_path / "more.tsv").write_text("1 2\t2 1\n")
    parts = (
        "{source: train.src, target: train.tgt}, {files: {source: valid.src, target: valid.tgt}, weight: 2}"
    )
    made = studio(f"data.train=[{parts}, {{file: more.tsv, columns: {{source: 0, target: 1}}}}]")
    made.export()
    assert row(made.card(), "data") == [
        "data",
        "train.src, train.tgt; valid.src, valid.tgt (weight 2); more.tsv",
    ]


def test_a_signature_stays_in_its_cell(studio: MakeStudio) -> None:
    made = studio()
    bleu = Score(metric="bleu", value=31.254, split="valid", step=4, signature="nrefs:1|case:mixed|tok:13a")
    made.export(scores=[*PLAIN, bleu])
    assert row(made.card(), "score") == ["score", "value", "split", "signature"]
    assert row(made.card(), "ppl") == ["ppl", "9.88", "valid", r"`token:word\|size:14`"]
    assert row(made.card(), "bleu") == ["bleu", "31.25", "valid", r"`nrefs:1\|case:mixed\|tok:13a`"]


def test_the_card_shows_python_that_works(studio: MakeStudio) -> None:
    made = studio()
    made.export()
    (code,) = re.findall(r"```python\n(.*?)```", made.card(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code.replace("path/to/this/folder", str(made.folder)), names)
    assert names["model"].job.config.name == "reverser"


# The model ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parts", [(), RECURRENT], ids=["transformer", "rnn"])
def test_what_is_loaded_decodes_the_same(studio: MakeStudio, parts: tuple[str, ...]) -> None:
    made = studio(*parts)
    made.export()
    config = made.job.config
    before = Predictor(
        made.job,
        made.kit,
        made.model,
        config.decode,
        device=choose_device("cpu"),
        uri="",
        sha256="",
        steps=4,
    )
    texts = (made.folder.parent / "test.src").read_text(encoding="utf-8").splitlines()
    after = made.loaded()
    assert (after.steps, after.uri, after.decode) == (4, str(made.folder), config.decode)
    assert found(after, texts) == found(before, texts)
    before.model.load_weights(made.fresh(2).weights())
    assert found(after, texts) != found(before, texts)


def found(predictor: Predictor, texts: list[str]) -> list[list[tuple[str, float]]]:
    """Each text's hypotheses with their scores."""
    text = predictor.kit.task.text
    predictions = predictor.decode_all(texts, beam=4, n_best=2)
    return [[(text(best), best.score) for best in found.hypotheses] for found in predictions]
