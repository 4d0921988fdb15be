"""From tones that stand for words to a model that tells when they sounded, through the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from typer.testing import CliRunner, Result

from seqloom.api import load
from seqloom.catalog import Catalog
from seqloom.cli.main import build_app

RATE = 8000
TONES = {"la": 500.0, "mi": 1100.0, "so": 2300.0}
TONE_S = 0.24
JOB = """\
task: speech
preset: ctc
name: tones
device: cpu
data:
  train: {file: train.jsonl, columns: {speech: audio, target: text}}
  valid: {file: valid.jsonl, columns: {speech: audio, target: text}}
inputs:
  speech:
    rate_hz: 8000
    features: {name: log_mel, bins: 20}
    frontend: {name: convolution, channels: 8, subsampling: 4}
    augment: {speeds: [1.0], time_masks: 0, frequency_masks: 0}
tokenizers: {target: word}
model:
  width: 32
  encoder: none
train:
  steps: 100
  batch_elements: 1500
  learning_rate: 0.01
  schedule: {name: cosine, warmup: 5}
evaluate: {every: 100}
decode: {beam: 1}
"""
pytestmark = pytest.mark.slow
Seqloom = Callable[..., Result]
Sung = list[tuple[str, float]]
"""Words, and when each begins, in seconds."""


def sung(random: np.random.Generator, count: int) -> tuple[NDArray[np.float64], Sung]:
    """Words as tones, with silence before each and after the last."""
    parts, words, end = [], [], 0.0
    for _ in range(count):
        word = str(random.choice(list(TONES)))
        pause = float(random.uniform(0.15, 0.5))
        time = np.arange(round(TONE_S * RATE)) / RATE
        parts += [np.zeros(round(pause * RATE)), 0.4 * np.sin(2 * np.pi * TONES[word] * time)]
        words.append((word, end + pause))
        end += pause + TONE_S
    samples = np.concatenate([*parts, np.zeros(round(0.3 * RATE))])
    return samples + random.normal(0, 0.01, len(samples)), words


def write(random: np.random.Generator, names: list[str], file: str) -> dict[str, Sung]:
    """Recordings, and a table of them."""
    known = {}
    with Path(file).open("w", encoding="utf-8") as table:
        for name in names:
            samples, known[name] = sung(random, int(random.integers(1, 5)))
            soundfile.write(name, samples, RATE)
            text = " ".join(word for word, _ in known[name])
            table.write(json.dumps({"audio": name, "text": text}) + "\n")
    return known


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Sung]]:
    """When the words of recordings begin that no training has seen; where one works lie they and a job."""
    random = np.random.default_rng(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("tones"))
        for name in ("SEQLOOM_REGISTRY", "SEQLOOM_RUNS", "SEQLOOM_CACHE"):
            patch.delenv(name, raising=False)
        write(random, [f"train{number}.wav" for number in range(60)], "train.jsonl")
        Path("job.yaml").write_text(JOB, encoding="utf-8")
        names = [f"new {number}.flac" for number in range(8)]
        Path("names.txt").write_text("\n".join(names), encoding="utf-8")
        yield write(random, names, "valid.jsonl")


@pytest.fixture(scope="module")
def seqloom(known: dict[str, Sung]) -> Seqloom:
    def run(*words: object, code: int = 0) -> Result:
        result = CliRunner().invoke(build_app(Catalog.from_environment()), [str(word) for word in words])
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.stderr
        return result

    return run


@pytest.fixture(scope="module")
def transcribe(seqloom: Seqloom) -> Seqloom:
    model = seqloom("train", "job.yaml").stdout.strip()
    return lambda *words, code=0: seqloom("transcribe", model, *words, code=code)


def test_words_are_told_when_they_sound(transcribe: Seqloom, known: dict[str, Sung]) -> None:
    lines = transcribe(*known, "--format", "ctm").stdout.splitlines()
    told = [line.split() for line in lines]
    wanted = [(name, *word) for name, words in known.items() for word in words]
    assert [(row[0], row[4]) for row in told] == [(n[:-5].replace(" ", "_"), word) for n, word, _ in wanted]
    for row, (_, _, start) in zip(told, wanted, strict=True):
        begins, lasts, sure = float(row[2]), float(row[3]), float(row[5])
        assert start - 0.08 < begins < begins + lasts < start + TONE_S + 0.08
        assert 0.3 < sure <= 1


def test_company_changes_no_time(transcribe: Seqloom, known: dict[str, Sung]) -> None:
    together = transcribe(*known, "--format", "ctm").stdout
    assert transcribe(*known, "--format", "ctm", "--batch-size", 1).stdout == together
    assert transcribe("--input", "names.txt", "--format", "ctm").stdout == together


def test_json_tells_times_where_asked(transcribe: Seqloom, known: dict[str, Sung]) -> None:
    name, words = max(known.items(), key=lambda pair: len(pair[1]))
    (plain,), (timed,), (part,) = (
        transcribe(*given, "--format", "jsonl").stdout.splitlines()
        for given in ((name,), (name, "--times"), (f"{name}#t=0.1,", "--times"))
    )
    plain, timed, part = (json.loads(line)["outputs"][0] for line in (plain, timed, part))
    assert "words" not in plain
    assert [word["text"] for word in timed["words"]] == plain["text"].split() == [word for word, _ in words]
    for word, same in zip(timed["words"], part["words"], strict=True):
        assert same["start_s"] == pytest.approx(word["start_s"], abs=0.05)  # of the whole recording


def test_subtitles_are_of_one_recording(transcribe: Seqloom, known: dict[str, Sung]) -> None:
    first, second, *_ = known
    said = transcribe(first, "--format", "srt").stdout
    assert said.startswith("1\n00:00:00,")
    assert said.endswith(" ".join(word for word, _ in known[first][-1:]) + "\n\n")
    refused = transcribe(first, second, "--format", "vtt", code=2)
    assert refused.stdout == ""
    assert "a file of vtt is about one input, and here are 2: name a folder" in refused.stderr
    transcribe(first, second, "--format", "vtt", "-o", "subtitles/")
    files = sorted(Path("subtitles").iterdir())
    assert [file.name for file in files] == [f"{Path(name).stem}.vtt" for name in (first, second)]
    assert all(file.read_text(encoding="utf-8").startswith("WEBVTT\n\n00:") for file in files)


def test_python_has_them_too(transcribe: Seqloom, known: dict[str, Sung]) -> None:
    model = load("models:/tones/1", device="cpu")
    name, words = next(iter(known.items()))
    (prediction,) = model.decode_all([name], emissions=True)
    (best,) = prediction.hypotheses
    assert best.emissions is None
    assert [word.text for word in best.details["words"]] == [word for word, _ in words]
