"""Recordings made of takes: every sample where it should be, every time that of its sound."""

from __future__ import annotations

import csv
import importlib.util
import sys
from itertools import product
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).parents[2]
RATE = 8000
TRAINING = tuple(" ".join(words) for words in product(("YES", "NO"), repeat=3))
COUNTS = {"train": 12, "valid": 4, "test": 6}


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("speech_data", ROOT / "benchmarks" / "speech_data.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tone(seconds: float, hz: float, rate: int = RATE) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


def table(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two speakers who say two digits as tones 50 ms after a take's beginning, and three long utterances."""
    root = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(1)
    for name in ("fsdd", "an4", "yesno"):
        (root / name / "flac").mkdir(parents=True)
    lines: dict[str, list[str]] = {"train": [], "test": []}
    for speaker, hz in (("ann", 300.0), ("bob", 900.0)):
        for digit in (3, 7):
            for number in (0, 1, 5, 6, 45, 49):
                sound = np.concatenate([np.zeros(400), tone(0.2, hz * digit / 3), np.zeros(240)])
                sound += random.normal(0, 0.001, len(sound))
                path = f"flac/{digit}_{speaker}_{number}.flac"
                soundfile.write(root / "fsdd" / path, sound, RATE)
                lines["test" if number < 5 else "train"].append(f"{path}\t{speaker}\t{digit}\t0.28")
    for split, known in lines.items():
        (root / "fsdd" / f"{split}.tsv").write_text(
            "\n".join(["path\tspeaker\tdigit\tseconds", *known]) + "\n"
        )
    rows = ["path\tspeaker\tseconds\ttranscript"]
    for number, text in enumerate(("GO", "YES NO", "A B C")):
        soundfile.write(root / "an4" / f"flac/{number}.flac", tone(0.5 + number, 400, 16_000), 16_000)
        rows.append(f"flac/{number}.flac\tann\t{0.5 + number}\t{text}")
    for split in ("dev", "test"):
        (root / "an4" / f"{split}.tsv").write_text("\n".join(rows) + "\n")
    for split, texts in (("train", TRAINING), ("test", ("NO NO YES YES",))):
        rows = ["path\tseconds\ttranscript"]
        for text in texts:
            path = f"flac/{text.replace(' ', '_')}.flac"
            soundfile.write(root / "yesno" / path, spoken(text, random), RATE)
            rows.append(f"{path}\t2.00\t{text}")
        (root / "yesno" / f"{split}.tsv").write_text("\n".join(rows) + "\n")
    return root


def spoken(text: str, random: np.random.Generator) -> np.ndarray:
    """YES is high and NO low, each 0.3 to 0.4 s long, with 40 to 150 ms of near silence around them."""
    parts = [np.zeros(RATE // 4)]
    for word in text.split():
        parts.append(tone(random.uniform(0.3, 0.4), 900 if word == "YES" else 300))
        parts.append(np.zeros(round(random.uniform(0.04, 0.15) * RATE)))
    sound = np.concatenate(parts)
    return sound + random.normal(0, 0.001, len(sound))


@pytest.fixture(scope="module")
def made(script: ModuleType, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(script, data, tmp_path_factory.mktemp("made"))


def run(script: ModuleType, data: Path, folder: Path) -> Path:
    sizes = [word for name, count in COUNTS.items() for word in (f"--{name}", str(count))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEQLOOM_DATA", str(data))
        patch.setattr(sys, "argv", ["speech_data.py", str(folder), *sizes])
        script.main()
    return folder


def test_strings_are_of_one_speaker_and_as_long_as_told(made: Path) -> None:
    for split, count in COUNTS.items():
        rows = table(made / "strings" / f"{split}.tsv")
        assert len(rows) == count
        for row in rows:
            sound, rate = soundfile.read(made / "strings" / row["path"])
            words = row["transcript"].split()
            assert rate == RATE
            assert 2 <= len(words) <= 6
            assert set(words) <= {"three", "seven"}
            assert len(sound) / rate == pytest.approx(float(row["seconds"]), abs=1e-3)
            takes_s = 0.28 * len(words)  # 0.05 + 0.2 + 0.03
            assert takes_s + 0.05 * (len(words) + 1) <= float(row["seconds"]) + 1e-3
            assert float(row["seconds"]) <= takes_s + 0.4 * (len(words) + 1) + 1e-3


def test_splits_share_no_take(script: ModuleType, data: Path) -> None:
    known = script.takes(data / "fsdd")
    counts = {split: sum(map(len, speakers.values())) for split, speakers in known.items()}
    assert counts == {"train": 8, "valid": 8, "test": 8}
    sounds = {
        split: {sound.samples.tobytes() for takes in speakers.values() for sound in takes}
        for split, speakers in known.items()
    }
    assert len(set.union(*sounds.values())) == 24  # noise tells them apart


@pytest.mark.parametrize(
    ("split", "recording", "words"),
    [
        ("valid", None, "strings/valid.words.tsv"),
        ("test", None, "strings/test.words.tsv"),
        ("valid", "long/fsdd-valid.flac", "long/fsdd-valid.words.tsv"),
        ("test", "long/fsdd-test.flac", "long/fsdd-test.words.tsv"),
    ],
)
def test_words_are_where_their_tones_are(made: Path, split: str, recording: str | None, words: str) -> None:
    heard = 0
    for word in table(made / words):
        sound, rate = soundfile.read(made / (recording or f"strings/{word['path']}"))
        start, end = (round(float(word[name]) * rate) for name in ("start_s", "end_s"))
        assert end - start == pytest.approx(0.2 * rate, abs=0.02 * rate)
        assert np.std(sound[start + 160 : end - 160]) > 0.3
        assert np.std(sound[start - 300 : start - 160]) < 0.01
        assert np.std(sound[end + 160 : end + 220]) < 0.01
        spectrum = np.abs(np.fft.rfft(sound[start:end] * np.hanning(end - start)))
        pitch = spectrum.argmax() * rate / (end - start)
        assert min(abs(pitch - hz) for hz in {"three": (300, 900), "seven": (700, 2100)}[word["word"]]) < 20
        heard += 1
    assert heard == sum(len(row["transcript"].split()) for row in table(made / "strings" / f"{split}.tsv"))


@pytest.mark.parametrize("text", ["YES NO NO YES", "NO NO NO NO NO YES", "YES"])
def test_words_are_cut_out_between_them(script: ModuleType, text: str) -> None:
    for seed in range(5):
        sound = script.Sound(spoken(text, np.random.default_rng(seed)), RATE, [])
        words = script.cut(sound, text.split())
        assert [word.transcript for word in words] == text.split()
        for word in words:
            assert 0.25 < word.seconds < 0.6
            spectrum = np.abs(np.fft.rfft(word.samples * np.hanning(len(word.samples))))
            pitch = spectrum.argmax() / word.seconds
            assert pitch == pytest.approx(900 if word.transcript == "YES" else 300, abs=20)


def test_strings_of_yes_and_no_are_of_training_and_the_test_is_as_it_was(made: Path, data: Path) -> None:
    rows = table(made / "yesno" / "train.tsv")
    assert len(rows) == COUNTS["train"] // 10
    for row in rows:
        sound, rate = soundfile.read(made / "yesno" / row["path"])
        assert len(sound) / rate == pytest.approx(float(row["seconds"]), abs=1e-3)
        assert 1 <= len(row["transcript"].split()) <= 8
    training, tests = (table(data / "yesno" / f"{split}.tsv") for split in ("train", "test"))
    assert table(made / "yesno" / "valid.tsv") == training[3:]
    assert table(made / "yesno" / "test.tsv") == tests
    for row in training[3:] + tests:
        assert (made / "yesno" / row["path"]).read_bytes() == (data / "yesno" / row["path"]).read_bytes()


@pytest.mark.parametrize("name", ["an4-dev", "an4-test"])
def test_an4_is_one_recording_in_its_order(made: Path, name: str) -> None:
    (whole,) = table(made / "long" / f"{name}.tsv")
    turns = table(made / "long" / f"{name}.segments.tsv")
    assert whole["transcript"] == "GO YES NO A B C" == " ".join(turn["transcript"] for turn in turns)
    sound, rate = soundfile.read(made / "long" / f"{name}.flac")
    assert len(sound) / rate == pytest.approx(float(whole["seconds"]), abs=1e-3)
    end_s = 0.0
    for turn, seconds in zip(turns, (0.5, 1.5, 2.5), strict=True):
        assert 0.3 <= float(turn["start_s"]) - end_s <= 1.5
        assert float(turn["end_s"]) - float(turn["start_s"]) == pytest.approx(seconds, abs=2e-3)
        assert np.std(sound[round(float(turn["start_s"]) * rate) :][: round(seconds * rate)]) > 0.3
        end_s = float(turn["end_s"])


def test_a_seed_makes_the_same(script: ModuleType, data: Path, made: Path, tmp_path: Path) -> None:
    again = run(script, data, tmp_path)
    files = sorted(path.relative_to(again) for path in again.rglob("*.*"))
    assert len(files) == sum(COUNTS.values()) + 3 + 2 + 2 * 3 + 2 * 3 + (COUNTS["train"] // 10 + 5 + 1 + 3)
    for file in files:
        assert (again / file).read_bytes() == (made / file).read_bytes()
