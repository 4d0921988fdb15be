"""In which form outputs are written, and where."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from seqloom.batch import Hypothesis
from seqloom.catalog import Catalog
from seqloom.cli.main import build_app
from seqloom.cli.writing import Destination, format_choice, rendered
from seqloom.data.manifest import Located
from seqloom.data.splits import Slot
from seqloom.errors import StorageError, UsageError
from seqloom.hooks import FormatSpec, NoOptions, TaskSpec
from seqloom.task import Example, Prediction, TextTask
from seqloom.tokenizer import ByteTokenizer

SOUND = {"sound": Slot((".wav",), "t")}
TEXT = {"source": Slot()}


class Echo(TextTask):
    def configure(self, flags, decode):
        return decode

    def deliver(self, predictions, flags, modalities):
        return []

    def write(self, form: str, predictions: Iterable[Prediction]) -> Iterator[str]:
        for prediction in predictions:
            yield f"{form}: {self.text(prediction.hypotheses[0])}\n"


SPEC = TaskSpec(
    name="echo",
    summary="",
    options=NoOptions,
    verb="echo",
    flags=NoOptions,
    inputs={"sound": "audio"},
    presets={},
    load=lambda: lambda options, tokenizer: Echo(tokenizer),
    formats={"cue": FormatSpec(summary="cues", one_input=True), "list": FormatSpec(summary="a list")},
)
TASK = Echo(ByteTokenizer())


def prediction(number: int, raw: str, *texts: str) -> Prediction:
    found = [
        Hypothesis(tokens=tuple(TASK.tokenizer.encode(text)), score=-rank / 2, token_scores=())
        for rank, text in enumerate(texts)
    ]
    return Prediction(Example(number, {"sound": raw}, None, []), found)


def located(*raws: str, slot: str = "sound") -> Iterator[Located]:
    return (Located(Example(number, {slot: raw}, None, [])) for number, raw in enumerate(raws))


def test_a_command_line_may_name_the_formats_of_its_task() -> None:
    choice, told = format_choice(SPEC)
    assert [member.value for member in choice] == ["text", "jsonl", "cue", "list"]
    assert told.endswith("; cue: cues; list: a list.")


def test_outputs_are_rendered_as_they_come() -> None:
    given = iter([prediction(0, "a.wav", "one\ntwo"), prediction(1, "b.wav", "best", "next")])
    lines = rendered(given, TASK, "text")
    assert next(lines) == "one two\n"
    assert next(given).example.id == 1  # it waited
    lines = list(rendered([prediction(1, "b.wav", "best", "next")], TASK, "text"))
    assert lines == ["2\t0.0000\tbest\n", "2\t-0.5000\tnext\n"]
    (line,) = rendered([prediction(1, "b.wav", "best", "next")], TASK, "jsonl")
    record = json.loads(line)
    assert (record["id"], record["sound"]) == (1, "b.wav")
    assert [output["text"] for output in record["outputs"]] == ["best", "next"]
    assert list(rendered([prediction(1, "b.wav", "best", "next")], TASK, "cue")) == ["cue: best\n"]


@pytest.mark.parametrize(
    ("form", "files"),
    [
        ("text", {"talk.txt": "one\n", "talk#t=1,2.5.txt": "two\n"}),
        ("cue", {"talk.cue": "cue: one\n", "talk#t=1,2.5.cue": "cue: two\n"}),
    ],
)
def test_a_folder_gets_a_file_for_each_input(form: str, files: dict[str, str], tmp_path: Path) -> None:
    output = Destination.of(f"{tmp_path}/new/folder/", form, SPEC)
    raws = ("talks/talk.wav", "talks/talk.wav#t=1,2.5")
    assert len(list(output.admit(located(*raws), SOUND))) == 2
    written = output.write([prediction(0, raws[0], "one"), prediction(1, raws[1], "two")], TASK, SOUND)
    folder = tmp_path / "new" / "folder"
    assert (output.keeps, sorted(written)) == (True, sorted(folder.iterdir()))
    assert {file.name: file.read_text() for file in folder.iterdir()} == files
    assert Destination.of(str(folder), form, SPEC) == output  # without its slash, as it is there now


def test_a_file_gets_all_of_them(tmp_path: Path) -> None:
    output = Destination.of(str(tmp_path / "all.txt"), "list", SPEC)
    written = output.write([prediction(0, "a.wav", "one"), prediction(1, "b.wav", "two")], TASK, SOUND)
    assert (tmp_path / "all.txt").read_text() == "list: one\nlist: two\n"
    assert (output.keeps, written) == (True, [tmp_path / "all.txt"])


@pytest.mark.parametrize("place", [None, os.devnull])
def test_a_stream_keeps_nothing(place: str | None) -> None:
    output = Destination.of(place, "text", SPEC)
    assert output.write([prediction(0, "a.wav", "one")], TASK, SOUND) == []
    assert not output.keeps


def test_what_cannot_be_written_is_told_before_anything_is_done(tmp_path: Path) -> None:
    folder = Destination.of(str(tmp_path), "text", SPEC)
    with pytest.raises(UsageError, match=r"2 inputs would be written to .*/x\.txt"):
        folder.admit(located("a/x.wav", "b/x.wav"), SOUND)
    with pytest.raises(UsageError, match="is a folder, and texts have no names"):
        folder.admit(located("a text", slot="source"), TEXT)
    stdout = Destination.of(None, "cue", SPEC)
    assert len(list(stdout.admit(located("a.wav"), SOUND))) == 1
    with pytest.raises(
        UsageError, match=r"a file of cue is about one input, and here are 2: name a folder"
    ):
        stdout.admit(located("a.wav", "b.wav"), SOUND)


def test_inputs_that_can_be_written_one_after_another_are_not_waited_for() -> None:
    inputs = located("a.wav", "b.wav")
    assert Destination.of(None, "list", SPEC).admit(inputs, SOUND) is inputs


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    output = Destination.of(f"{tmp_path}/file/new/", "text", SPEC)
    with pytest.raises(StorageError, match=r"file/new: cannot write it: Not a directory"):
        output.write([prediction(0, "a.wav", "one")], TASK, SOUND)


def test_a_format_that_a_task_has_not_is_refused_with_those_that_it_has() -> None:
    app: Any = build_app(Catalog.from_environment())
    result = CliRunner().invoke(app, ["translate", "model", "text", "--format", "srt"])
    assert result.exit_code == 2
    assert "'srt' is not one of 'text', 'jsonl'" in result.stderr
    with pytest.raises(NotImplementedError, match="has no format 'srt'"):
        TextTask.write(TASK, "srt", [])
