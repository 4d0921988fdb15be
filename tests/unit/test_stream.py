"""A stream of inputs is decoded chunk by chunk, in order, and pieces are joined again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from seqloom.batch import Hypothesis
from seqloom.build import Builder, Kit
from seqloom.config import DecodeConfig
from seqloom.data.manifest import Located
from seqloom.data.splits import Slot
from seqloom.device import choose_device
from seqloom.errors import DataError
from seqloom.hooks import NoOptions, Options
from seqloom.journal import Journals
from seqloom.modality import Modality
from seqloom.model import Seq2Seq
from seqloom.stream import CHUNK_BATCHES, CHUNK_LONG_BATCHES, Decoding, decode_stream
from seqloom.task import Example

BAR = " | "
"""Between the pieces of an input."""


class Cuts:
    """Has a task cut inputs at bars, and join what is found with a score for each piece.

    Attributes:
        cut: All inputs that were cut so far.
    """

    def __init__(self, kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cut: list[str] = []
        monkeypatch.setattr(kit.task, "pieces", self.pieces)
        monkeypatch.setattr(kit.task, "join", self.join)

    def pieces(
        self, raw: dict[str, str], flags: Options, modalities: Mapping[str, Modality]
    ) -> list[dict[str, str]]:
        assert isinstance(flags, NoOptions)
        assert modalities.keys() == raw.keys()
        self.cut.append(raw["source"])
        return [{"source": text} for text in raw["source"].split(BAR)]

    def join(
        self,
        pieces: Sequence[dict[str, str]],
        results: Sequence[list[Hypothesis]],
        modalities: Mapping[str, Modality],
    ) -> list[Hypothesis]:
        assert len(pieces) == len(results)
        assert modalities.keys() == pieces[0].keys()
        tokens = tuple(token for result in results for token in result[0].tokens)
        return [Hypothesis(tokens=tokens, score=float(len(results)), token_scores=())]


@pytest.fixture
def parts(builder: Callable[..., Builder]) -> tuple[Seq2Seq, Kit]:
    made = builder()
    texts = [Example(0, {"source": "1 2 3 4 5"}, "1 2 3 4 5", ["1"])]
    kit = made.kit(made.fit_tokenizers(texts))
    return made.model(kit), kit


@pytest.fixture
def cuts(parts: tuple[Seq2Seq, Kit], monkeypatch: pytest.MonkeyPatch) -> Cuts:
    return Cuts(parts[1], monkeypatch)


def located(texts: Sequence[str]) -> Iterator[Located]:
    for number, text in enumerate(texts):
        yield Located(Example(number, {"source": text}, None, []), line=number + 1)


def decoding(parts: tuple[Seq2Seq, Kit], **fields: Any) -> Decoding:
    options = {"beam": 1, "batch_size": 1, "max_length_factor": 0, "max_length_offset": 2}
    chosen = {key: fields.pop(key) for key in list(fields) if key in DecodeConfig.model_fields}
    model, kit = parts
    return Decoding(
        model=model,
        task=kit.task,
        modalities=kit.modalities,
        options=DecodeConfig(**{**options, **chosen}),
        device=choose_device("cpu"),
        **fields,
    )


def endless(read: list[str], text: str) -> Iterator[Located]:
    while True:
        read.append(text)
        yield Located(Example(len(read) - 1, {"source": text}, None, []), line=len(read))


def test_a_stream_reads_no_more_than_a_chunk_ahead(parts: tuple[Seq2Seq, Kit]) -> None:
    read: list[str] = []
    predictions = decode_stream(endless(read, "1 2"), decoding(parts))
    assert next(predictions).example.id == 0
    assert len(read) == CHUNK_BATCHES


def test_a_chunk_has_only_so_many_positions(parts: tuple[Seq2Seq, Kit]) -> None:
    read: list[str] = []
    how = decoding(parts, batch_size=64, batch_elements=6)
    next(decode_stream(endless(read, "1 2"), how))  # 3 positions each, with EOS
    assert len(read) == CHUNK_LONG_BATCHES * 6 / 3


def test_order_is_kept_over_chunks(parts: tuple[Seq2Seq, Kit]) -> None:
    texts = [" ".join("12345"[: 1 + n % 5]) for n in range(2 * CHUNK_BATCHES + 3)]
    found = list(decode_stream(located(texts), decoding(parts)))
    assert [prediction.example.inputs["source"] for prediction in found] == texts


# Pieces ------------------------------------------------------------------------------------------------


def test_pieces_are_decoded_and_joined(parts: tuple[Seq2Seq, Kit], monkeypatch: pytest.MonkeyPatch) -> None:
    alone = decode_stream(located(["1 2", "3", "5 4"]), decoding(parts))
    whole = {p.example.inputs["source"]: p.hypotheses[0].tokens for p in alone}
    Cuts(parts[1], monkeypatch)
    first, second = decode_stream(located(["1 2 | 3", "5 4"]), decoding(parts, batch_size=2))
    assert first.example.inputs["source"] == "1 2 | 3"
    assert (first.hypotheses[0].score, second.hypotheses[0].score) == (2, 1)
    assert first.hypotheses[0].tokens == whole["1 2"] + whole["3"]


@pytest.mark.parametrize("sizes", [{"batch_size": 1}, {"batch_size": 3}, {"batch_elements": 5}])
@pytest.mark.usefixtures("cuts")
def test_batches_change_nothing(parts: tuple[Seq2Seq, Kit], sizes: dict[str, int]) -> None:
    texts = ["1 | 2 3 | 4", "5 4 3 2", "2", " | ".join("12345" * 5), "1 2 | 1"]
    wanted = list(decode_stream(located(texts), decoding(parts, batch_size=64)))
    found = list(decode_stream(located(texts), decoding(parts, **sizes)))
    assert [p.hypotheses[0].tokens for p in found] == [p.hypotheses[0].tokens for p in wanted]
    assert [p.hypotheses[0].score for p in found] == [3, 1, 1, 25, 2]


def test_inputs_are_cut_when_their_turn_comes(parts: tuple[Seq2Seq, Kit], cuts: Cuts) -> None:
    read: list[str] = []
    predictions = decode_stream(endless(read, BAR.join("12345")), decoding(parts))
    next(predictions)
    assert len(cuts.cut) == len(read) == CHUNK_BATCHES / 5


@pytest.mark.usefixtures("cuts")
def test_progress_is_told_of_inputs_of_several_pieces(parts: tuple[Seq2Seq, Kit]) -> None:
    told: list[tuple[int, int, int]] = []
    how = decoding(parts, tell=lambda one, done, pieces: told.append((one.example.id, done, pieces)))
    list(decode_stream(located(["1", "1 | 2 | 3", "2 | 1"]), how))
    assert told[:1] == [(1, 0, 3)]
    assert [one for one in told if one[0] == 1] == [(1, 0, 3), (1, 1, 3), (1, 2, 3), (1, 3, 3)]
    assert told[-1] == (2, 2, 2)


def test_an_input_that_cannot_be_cut_is_told_by_its_place(
    parts: tuple[Seq2Seq, Kit], monkeypatch: pytest.MonkeyPatch
) -> None:
    def pieces(*_: object) -> None:
        raise DataError("torn")

    monkeypatch.setattr(parts[1].task, "pieces", pieces)
    given = [one._replace(files={"source": Path("all.txt")}) for one in located(["1", "2"])]
    with pytest.raises(DataError, match=r"^all\.txt:1: torn$"):
        list(decode_stream(given, decoding(parts)))


# Going on ----------------------------------------------------------------------------------------------


@pytest.fixture
def seen(parts: tuple[Seq2Seq, Kit], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many inputs the model was given, batch by batch."""
    sizes: list[int] = []
    encode = parts[0].encode
    monkeypatch.setattr(
        parts[0], "encode", lambda inputs: (sizes.append(len(inputs["source"].lengths)), encode(inputs))[1]
    )
    return sizes


@pytest.mark.usefixtures("cuts")
def test_what_was_interrupted_goes_on(parts: tuple[Seq2Seq, Kit], seen: list[int], tmp_path: Path) -> None:
    texts = ["1 | 2 | 3 | 4", "3 | 2"]
    wanted = list(decode_stream(located(texts), decoding(parts)))
    del seen[:]

    def stop(one: Located, done: int, pieces: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    def journals() -> Journals:
        return Journals(tmp_path / "kept", {"source": Slot()}, "this model", pytest.fail)

    with pytest.raises(KeyboardInterrupt):
        list(decode_stream(located(texts), decoding(parts, keep=journals().open, tell=stop)))
    assert seen == [1, 1, 1]
    told: list[tuple[int, int]] = []
    again = journals()
    how = decoding(parts, keep=again.open, tell=lambda _, done, pieces: told.append((done, pieces)))
    assert list(decode_stream(located(texts), how)) == wanted
    assert told[0] == (3, 4)
    assert seen == [1] * 6  # three pieces each time
    assert list(decode_stream(located(texts), how)) == wanted  # nothing is left to do
    assert len(seen) == 6
    again.discard()
    assert not (tmp_path / "kept").exists()
