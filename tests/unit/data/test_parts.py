"""Parts of files, tags of examples, and folders of Kaldi's."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from seqloom.config import TableSplit
from seqloom.data.manifest import Examples, read_examples
from seqloom.data.splits import Slot, fragment_of, split_files
from seqloom.errors import DataError
from seqloom.task import Example

AUDIO = {"audio": Slot((".flac",), "t")}
PLAIN = {"audio": Slot((".flac",))}
COLUMNS = {"audio": ["path", "start", "end"], "target": "text"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("a.flac", "b#t.flac"):
        (tmp_path / name).touch()
    return tmp_path


def write_tsv(root: Path, *rows: str) -> TableSplit:
    (root / "train.tsv").write_text("\n".join(("path\tstart\tend\ttext\twho", *rows)) + "\n")
    return TableSplit(file="train.tsv", columns=COLUMNS, tags={"speaker": "who"})


def read(split: TableSplit, root: Path, **options: object) -> list[Example]:
    return [located.example for located in read_examples(split, root, AUDIO, **options)]  # type: ignore[arg-type]


# Parts of files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "slot", "fragment"),
    [
        ("a.flac#t=1,2", AUDIO["audio"], "#t=1,2"),
        ("a#t=3.flac#t=1.5,", AUDIO["audio"], "#t=1.5,"),
        ("a.flac", AUDIO["audio"], ""),
        ("a#b.flac", AUDIO["audio"], ""),
        ("a.flac#t=1,2", PLAIN["audio"], ""),
    ],
)
def test_what_a_name_says_of_a_part(name: str, slot: Slot, fragment: str) -> None:
    assert fragment_of(name, slot) == fragment


def test_columns_that_say_which_part_is_meant(root: Path) -> None:
    split = write_tsv(root, "a.flac\t0\t1.5\tx\tann", "a.flac\t2\t\ty\tbob", "b#t.flac\t\t\tz\tann")
    found = read(split, root)
    assert [one.inputs["audio"] for one in found] == [
        f"{root}/a.flac#t=0,1.5",
        f"{root}/a.flac#t=2,",
        f"{root}/b#t.flac",
    ]
    assert [one.tags for one in found] == [{"speaker": "ann"}, {"speaker": "bob"}, {"speaker": "ann"}]


def test_numbers_of_json_are_numbers(root: Path) -> None:
    rows = [{"path": "a.flac", "start": 0, "end": 1.25, "text": "x", "who": 7}]
    (root / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    split = TableSplit(file="train.jsonl", columns=COLUMNS, tags={"speaker": "who"})
    (found,) = read(split, root)
    assert found.inputs["audio"] == f"{root}/a.flac#t=0,1.25"
    assert found.tags == {"speaker": "7"}
    (root / "train.jsonl").write_text(json.dumps(rows[0] | {"text": 3}) + "\n")
    with pytest.raises(DataError, match="'text' needs to be a string or a list of strings, not a number"):
        read(split, root)


@pytest.mark.parametrize(
    ("given", "written"),
    [("1e-05", "0.00001"), ("2.50", "2.5"), (".5", "0.5"), ("3.", "3"), ("-0.0", "0"), ("1E3", "1000")],
)
def test_numbers_are_written_out(root: Path, given: str, written: str) -> None:
    (found,) = read(write_tsv(root, f"a.flac\t{given}\t\tx\tann"), root)
    assert found.inputs["audio"] == f"{root}/a.flac#t={written},"


def test_a_number_that_json_writes_with_an_exponent(root: Path) -> None:
    row = {"path": "a.flac", "start": 0.00001, "end": 1e16, "text": "x"}
    (root / "train.jsonl").write_text(json.dumps(row) + "\n")
    (found,) = read(TableSplit(file="train.jsonl", columns=COLUMNS), root)
    assert found.inputs["audio"] == f"{root}/a.flac#t=0.00001,10000000000000000"


def test_parts_of_members_of_an_archive(root: Path) -> None:
    for name, content in (("1.flac", "sound"), ("1.json", '{"from": 0.5, "to": 2, "text": "x"}')):
        (root / name).write_text(content)
    with tarfile.open(root / "train.tar", "w") as archive:
        for name in ("1.flac", "1.json"):
            archive.add(root / name, name)
    columns = {"audio": ["flac", "from", "to"], "target": "text"}
    (found,) = read(TableSplit(file="train.tar", columns=columns), root)
    assert found.inputs["audio"] == f"{root}/train.tar/1.flac#t=0.5,2"


def test_parts_within_a_column_of_paths(root: Path) -> None:
    (root / "train.tsv").write_text("a.flac#t=1,2\tx\n")
    split = TableSplit(file="train.tsv", columns={"audio": 0, "target": 1})
    assert read(split, root)[0].inputs["audio"] == f"{root}/a.flac#t=1,2"
    with pytest.raises(DataError, match=r"train\.tsv:1: no file 'a\.flac#t=1,2'"):
        next(read_examples(split, root, PLAIN))


@pytest.mark.parametrize("number", ["x", "-1", "inf", "nan"])
def test_a_part_that_is_none(root: Path, number: str) -> None:
    with pytest.raises(DataError, match=rf"train\.tsv:2: '{number}' is no number; 'audio' is a path"):
        read(write_tsv(root, f"a.flac\t0\t{number}\tx\tann"), root)


def test_files_without_parts(root: Path) -> None:
    split = write_tsv(root, "a.flac\t0\t1\tx\tann")
    with pytest.raises(DataError, match="3 columns for 'audio', whose files have no parts to tell of"):
        next(read_examples(split, root, PLAIN))


# Folders of Kaldi's ------------------------------------------------------------------------------------

KALDI = {
    "wav.scp": "r1 a.flac\nr2 b#t.flac\n",
    "segments": "u1 r1 0.0 1.5\nu2 r2 2 3.25\n",
    "text": "u2 two  words\nu1\tone\n",
    "utt2spk": "u1 ann\nu2 bob\n",
}
WHOLE = {"audio": ["wav", "start", "end"], "target": "text"}

Write = Callable[..., TableSplit]


@pytest.fixture
def kaldi(root: Path) -> Write:
    def write(columns: dict[str, list[str] | str] = WHOLE, **changed: str | None) -> TableSplit:
        (root / "train").mkdir(exist_ok=True)
        for name, content in {**KALDI, **{n.replace("_", "."): c for n, c in changed.items()}}.items():
            if content is not None:
                (root / "train" / name).write_text(content)
        return TableSplit(file="train", columns=columns, tags={"speaker": "speaker"})  # type: ignore[arg-type]

    return write


def test_segments_of_recordings(root: Path, kaldi: Write) -> None:
    split = kaldi()
    found = list(read_examples(split, root, AUDIO))
    assert [one.example.inputs["audio"] for one in found] == [
        f"{root}/a.flac#t=0,1.5",
        f"{root}/b#t.flac#t=2,3.25",
    ]
    assert [one.example.target for one in found] == ["one", "two  words"]
    assert [one.example.tags["speaker"] for one in found] == ["ann", "bob"]
    assert [one.line for one in found] == [1, 2]
    assert found[0].files["audio"] == root / "train" / "segments"
    assert [file.name for file in split_files(split, root)] == ["wav.scp", "segments", "text", "utt2spk"]
    assert len(list(Examples(split, root, AUDIO))) == 2


def test_whole_recordings(root: Path, kaldi: Write) -> None:
    split = kaldi(segments=None, text="r1 one\nr2 two\n", utt2spk="r1 ann\nr2 bob\n")
    assert [one.inputs["audio"] for one in read(split, root)] == [f"{root}/a.flac", f"{root}/b#t.flac"]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"wav_scp": "r1 sph2pipe a.sph |\nr2 a.flac\n"}, r"segments:1: 'sph2pipe a\.sph \|' is a command"),
        ({"wav_scp": "r1 a.flac\nr1 a.flac\n"}, r"wav\.scp:2: 'r1' occurs twice"),
        ({"wav_scp": "r1 ../a.flac\nr2 a.flac\n"}, r"segments:1: '\.\./a\.flac' lies outside"),
        (
            {"segments": "u1 r1 0\n"},
            r"segments:1: 3 fields, where an utterance, a recording, start and end",
        ),
        ({"segments": "u1 r9 0 1\n"}, r"segments:1: 'r9' is not in wav\.scp"),
        ({"segments": "u1 r1 0 x\n"}, r"segments:1: 'x' is no number"),
        ({"text": "u2 two\n"}, r"segments:1: 'u1' has no text"),
        ({"utt2spk": "u2 bob\n"}, r"segments:1: 'u1' has no speaker"),
        ({"text": "u1\nu2 two\n"}, r"segments:1: nothing but white space for 'target'"),
        ({"text": "\udcff\n"}, r"text:1: "),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    root: Path, kaldi: Write, changed: dict[str, str], told: str
) -> None:
    split = kaldi(**{name: text for name, text in changed.items() if "\udcff" not in text})
    if "\udcff" in "".join(changed.values()):
        (root / "train" / "text").write_bytes(b"\xff\n")
    with pytest.raises(DataError, match=told):
        read(split, root)


def test_columns_that_no_folder_has(root: Path, kaldi: Write) -> None:
    with pytest.raises(DataError, match=r"no column 'txt'.*Did you mean 'text'\?"):
        read(kaldi({"audio": "wav", "target": "txt"}), root)


def test_a_folder_of_something_else(root: Path) -> None:
    (root / "train").mkdir()
    with pytest.raises(DataError, match="'train' is a folder of"):
        read(TableSplit(file="train", columns=WHOLE), root)  # type: ignore[arg-type]
