"""What a model was given becomes examples: texts as they come, files checked before the first is used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from seqloom.data.splits import Slot
from seqloom.errors import DataError
from seqloom.inputs import located_inputs

TEXT = {"source": Slot()}
PICTURE = {"image": Slot((".png",), "xywh")}
BOTH = {**PICTURE, "question": Slot()}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "many").mkdir()
    for name in ("1.png", "many/2.png", "many/3.png"):
        (tmp_path / name).touch()
    return tmp_path


def test_texts_are_taken_as_they_come() -> None:
    taken: list[str] = []

    def texts() -> Iterator[str]:
        for text in ("a", "b"):
            taken.append(text)
            yield text

    found = located_inputs(texts(), TEXT, "<arguments>")
    assert next(found).example.inputs == {"source": "a"}
    assert taken == ["a"]
    second = next(found)
    assert (second.example.id, second.line, second.files) == (1, 2, {})


def test_texts_of_a_file_know_it() -> None:
    (found,) = located_inputs(["a"], TEXT, Path("in.txt"))
    assert found.files == {"source": Path("in.txt")}


def test_folders_and_patterns_give_an_example_a_file() -> None:
    found = list(located_inputs(["1.png", "many", "many/*"], PICTURE, "<arguments>"))
    assert [(one.example.id, one.example.inputs["image"], one.line) for one in found] == [
        (0, "1.png", 1),
        (1, "many/2.png", 2),
        (2, "many/3.png", 2),
        (3, "many/2.png", 3),
        (4, "many/3.png", 3),
    ]


def test_a_missing_file_is_told_of_before_the_first_is_given() -> None:
    with pytest.raises(DataError, match=r"^<arguments>:2: no file '4\.png'\. Did you mean '1\.png'"):
        next(located_inputs(["1.png", "4.png"], PICTURE, "<arguments>"))
    with pytest.raises(DataError, match=r"^in\.txt:1: no file"):
        next(located_inputs(["4.png"], PICTURE, Path("in.txt")))


def test_an_input_of_several_slots_has_one_file_of_each() -> None:
    given = {"image": "1.png", "question": "many"}
    (found,) = located_inputs([given], BOTH, "<inputs>")
    assert found.example.inputs == given
    with pytest.raises(DataError, match=r"<inputs>:1: 'many' names 2 files, and image of one input is one"):
        list(located_inputs([given | {"image": "many"}], BOTH, "<inputs>"))
    with pytest.raises(DataError, match="<inputs>:1: this model takes image, question: give a dictionary"):
        list(located_inputs(["1.png"], BOTH, "<inputs>"))


def test_what_is_empty_is_told_in_its_own_words() -> None:
    with pytest.raises(DataError, match="<inputs>:1: the image is empty; name a file"):
        list(located_inputs([" "], PICTURE, "<inputs>"))
    with pytest.raises(DataError, match="<inputs>:1: the source is empty; give some text"):
        list(located_inputs([" "], TEXT, "<inputs>"))
