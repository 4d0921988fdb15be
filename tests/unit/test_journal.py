"""What was found in pieces is kept under all that it depends on, and torn lines count for nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from seqloom.batch import Hypothesis
from seqloom.data.splits import Slot
from seqloom.journal import FileJournal, Journals

SLOTS = {"speech": Slot((".wav",), "t"), "text": Slot()}
FOUND = [
    Hypothesis(
        tokens=(5, 7), score=-0.1, token_scores=(-0.1, -1 / 3, 0.0), details={"words": [["ä", 0.1]]}
    ),
    Hypothesis(tokens=(), score=-2.5e-17, token_scores=(-2.5e-17,)),
]


def journals(folder: Path, depends: Any = "model") -> Journals:
    return Journals(folder, SLOTS, depends, pytest.fail)


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    file = tmp_path / "talk.wav"
    file.write_bytes(bytes(range(256)) * 8192)  # more than is read at once
    return file


def inputs(sound: Path, *cuts: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    """An input, and a piece of it for each of ``cuts``."""
    whole = {"speech": str(sound), "text": "a"}
    return whole, [{"speech": f"{sound}#t={cut}", "text": "a"} for cut in cuts]


def test_what_is_kept_is_found_exactly(tmp_path: Path, sound: Path) -> None:
    given = inputs(sound, "0,1", "1,2", "2,3")
    journal = journals(tmp_path / "kept").open(*given)
    assert journal.found() == {}
    journal.add(2, FOUND)
    journal.add(0, FOUND[1:])
    assert journals(tmp_path / "kept").open(*given).found() == {2: FOUND, 0: FOUND[1:]}


def test_the_same_bytes_elsewhere_are_the_same_input(tmp_path: Path, sound: Path) -> None:
    journals(tmp_path / "kept").open(*inputs(sound, "0,1", "1,2")).add(0, FOUND)
    moved = sound.rename(tmp_path / "moved.wav")
    assert journals(tmp_path / "kept").open(*inputs(moved, "0,1", "1,2")).found() == {0: FOUND}


def test_whatever_outcomes_depend_on_begins_anew(tmp_path: Path, sound: Path) -> None:
    folder = tmp_path / "kept"
    given = inputs(sound, "0,1", "1,2")
    journals(folder).open(*given).add(0, FOUND)
    assert journals(folder, "another model").open(*given).found() == {}
    assert journals(folder).open(*inputs(sound, "0,1.5", "1.5,2")).found() == {}
    whole, pieces = given
    assert journals(folder).open({**whole, "text": "b"}, pieces).found() == {}
    assert journals(folder).open({**whole, "speech": f"{sound}#t=0,2"}, pieces).found() == {}
    assert journals(folder).open(*given).found() == {0: FOUND}
    content = bytearray(sound.read_bytes())
    content[-1] ^= 1
    sound.write_bytes(content)
    assert journals(folder).open(*given).found() == {}


@pytest.mark.parametrize("torn", ['[1, [{"tokens": [5', '[1, [{"tokens": [5]}]]\n', "null\n", '{"a": 1}\n'])
def test_a_torn_line_is_written_anew(tmp_path: Path, torn: str) -> None:
    file = tmp_path / "kept.jsonl"
    journal = FileJournal(file, pytest.fail)
    journal.add(0, FOUND)
    whole = file.read_text(encoding="utf-8")
    file.write_text(whole + torn, encoding="utf-8")
    assert journal.found() == {0: FOUND}
    journal.add(1, FOUND)
    assert journal.found() == {0: FOUND, 1: FOUND}
    assert file.read_text(encoding="utf-8").startswith(whole + "[1, ")


def test_attention_is_not_kept(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path / "kept.jsonl", pytest.fail)
    journal.add(0, [Hypothesis(tokens=(), score=0.0, token_scores=(0.0,), attention=torch.ones(1, 1))])
    assert journal.found() == {}


def test_what_the_disk_refuses_is_told_of_once(tmp_path: Path, sound: Path) -> None:
    folder = tmp_path / "kept"
    folder.write_text("a file is in its way")
    said: list[str] = []
    made = Journals(folder, SLOTS, "model", said.append)
    journal = made.open(*inputs(sound, "0,1", "1,2"))
    for number in range(2):
        journal.add(number, FOUND)
    assert journal.found() == {}
    made.discard()
    (line,) = said
    assert line.startswith(f"{folder}: ")
    assert line.endswith("; what is interrupted now will begin anew")


def test_others_are_not_discarded(tmp_path: Path, sound: Path) -> None:
    mine, theirs = journals(tmp_path / "kept"), journals(tmp_path / "kept", "another model")
    given = inputs(sound, "0,1", "1,2")
    for one in (mine, theirs):
        one.open(*given).add(0, FOUND)
    mine.discard()
    assert theirs.open(*given).found() == {0: FOUND}
    assert mine.open(*given).found() == {}
