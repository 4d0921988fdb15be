"""A model folder in use: the same text whatever the batches, and errors that say what to do."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

import seqloom
from seqloom.catalog import Catalog
from seqloom.errors import CorruptError, DataError, UsageError
from seqloom.predictor import Predictor


@pytest.fixture(scope="session")
def folder(trained: Any) -> Path:
    (found,) = (trained.folder / "runs").glob("*/model")
    return found


@pytest.fixture(scope="session")
def predictor(folder: Path, catalog: Catalog) -> Predictor:
    return Predictor.load(folder, catalog, device="cpu")


@pytest.fixture(scope="session")
def sources(trained: Any) -> list[str]:
    return list(trained.lines("test.src"))


def test_the_model_has_learned_to_reverse(predictor: Predictor, trained: Any, sources: list[str]) -> None:
    found = predictor.predict(sources)
    right = sum(a == b for a, b in zip(found, trained.lines("test.tgt"), strict=True))
    assert right > len(sources) / 2


@pytest.mark.parametrize("beam", [1, 4])
@pytest.mark.parametrize("batch_size", [1, 3, 17, 64])
def test_batches_change_no_text(
    predictor: Predictor, sources: list[str], beam: int, batch_size: int
) -> None:
    wanted = predictor.predict(sources, beam=beam, batch_size=len(sources))
    assert predictor.predict(sources, beam=beam, batch_size=batch_size) == wanted
    assert len(set(wanted)) > len(wanted) / 2


@pytest.mark.parametrize("beam", [1, 4])
def test_order_changes_no_text(predictor: Predictor, sources: list[str], beam: int) -> None:
    order = list(range(len(sources)))
    random.Random(3).shuffle(order)
    shuffled = predictor.predict([sources[index] for index in order], beam=beam, batch_size=7)
    wanted = predictor.predict(sources, beam=beam)
    assert shuffled == [wanted[index] for index in order]


def test_n_best_are_ranked_and_different(predictor: Predictor, sources: list[str]) -> None:
    for prediction in predictor.decode_all(sources[:5], beam=4, n_best=3):
        scores = [found.score for found in prediction.hypotheses]
        assert scores == sorted(scores, reverse=True)
        assert len({found.tokens for found in prediction.hypotheses}) == len(scores) == 3


def test_attention_has_a_row_a_token_and_a_column_an_input(predictor: Predictor) -> None:
    (prediction,) = predictor.decode_all(["1 2 3"], attention=True)
    best = prediction.hypotheses[0]
    assert best.attention is not None
    assert best.attention.shape == (len(best.tokens) + 1, 4)  # EOS is one on both sides


def test_n_best_widens_the_beam_where_none_is_given(predictor: Predictor) -> None:
    assert predictor.decode_config(n_best=9).beam == 9


def test_options_that_are_none_are_refused(predictor: Predictor) -> None:
    with pytest.raises(UsageError, match=r"no decoding option 'beem'.*Did you mean 'beam'"):
        predictor.decode_config(beem=3)
    with pytest.raises(UsageError, match="n_best 3 asks for more outputs than beam 2"):
        predictor.decode_config(beam=2, n_best=3)


@pytest.mark.parametrize("given", ["", "  ", {"source": ""}, {}])
def test_empty_inputs_are_refused_with_their_number(predictor: Predictor, given: Any) -> None:
    with pytest.raises(DataError, match="<inputs>:2: the source is empty"):
        predictor.predict(["1 2", given])


def test_inputs_may_be_named_by_slot(predictor: Predictor) -> None:
    assert predictor.predict([{"source": "1 2 3"}]) == predictor.predict(["1 2 3"])


def test_nothing_in_nothing_out(predictor: Predictor) -> None:
    assert predictor.predict([]) == []


# The folder --------------------------------------------------------------------------------------------


def test_a_model_folder_is_whole(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {
        "README.md",
        "config.json",
        "generation_config.json",
        "manifest.json",
        "metrics.json",
        "model.safetensors",
        "tokenizers",
    }


def test_the_card_tells_parts_scores_and_data(folder: Path) -> None:
    card = (folder / "README.md").read_text(encoding="utf-8")
    scores = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert {score["metric"] for score in scores} == {"ppl", "accuracy", "bleu"}
    for score in scores:
        signature = score["signature"].replace("|", r"\|")
        assert f"| {score['metric']} | {score['value']:.2f} | valid | `{signature}` |" in card
    assert "# reverser" in card
    assert "encoder transformer, decoder transformer, head sequence" in card
    assert "train.src, train.tgt" in card


def test_a_copy_elsewhere_needs_nothing_else(
    folder: Path, predictor: Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    monkeypatch.setenv("SEQLOOM_REGISTRY", "sqlite:////nowhere/registry.db")
    copy = seqloom.load(tmp_path / "copy", device="cpu")
    assert copy.predict(["1 2 3 4"]) == predictor.predict(["1 2 3 4"])


def test_a_damaged_file_is_named(folder: Path, tmp_path: Path, catalog: Catalog) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    weights = bytearray((copy / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (copy / "model.safetensors").write_bytes(weights)
    with pytest.raises(CorruptError, match=r"model\.safetensors: its bytes are not those"):
        Predictor.load(copy, catalog)


@pytest.mark.parametrize("inputs", ["1 2", b"1 2", {"source": "1 2"}])
def test_inputs_come_as_a_list(predictor: Predictor, inputs: Any) -> None:
    with pytest.raises(UsageError, match="give a list of inputs"):
        predictor.predict(inputs)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (3, "an input is a text, or a dictionary of texts"),
        (None, "an input is a text, or a dictionary of texts"),
        ({"source": 3}, "an input is a text, or a dictionary of texts"),
        ({"src": "1"}, "no input slot 'src'; there are: source"),
        ({"source": "1", "more": "2"}, "no input slot 'more'"),
        (" ", "the source is empty"),
    ],
)
def test_an_input_that_cannot_be_is_told_by_its_number(
    predictor: Predictor, given: Any, message: str
) -> None:
    with pytest.raises(DataError, match=rf"<inputs>:2: {message}"):
        predictor.predict(["1", given])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beam": 0}, "beam: expected greater than or equal to 1, found 0"),
        ({"beam": None}, "beam: expected a whole number, found null"),
        ({"n_best": 3, "beam": 2}, "^n_best 3 asks for more outputs than beam 2 keeps$"),
    ],
)
def test_decoding_options_are_refused_in_our_words(
    predictor: Predictor, options: Any, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        predictor.predict(["1"], **options)
