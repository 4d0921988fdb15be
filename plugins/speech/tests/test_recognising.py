"""From recordings in the folders that recognisers are trained on to what is said in files and parts of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from spoken import RATE_HZ, write, write_joined
from typer.testing import CliRunner, Result

from seqloom.catalog import Catalog
from seqloom.cli.main import build_app

JOB = f"""\
task: {{name: speech, normalization: basic-1}}
preset: ctc
name: tones
device: cpu
data:
  train: {{file: train, columns: {{speech: [wav, start, end], target: text}}, tags: {{speaker: speaker}}}}
  valid: {{file: valid.tsv, columns: {{speech: path, target: said}}, tags: {{speaker: who}}}}
  test: {{file: test, columns: {{speech: [wav, start, end], target: text}}, tags: {{speaker: speaker}}}}
  workers: 0
inputs:
  speech:
    rate_hz: {RATE_HZ}
    features: {{name: log_mel, bins: 40}}
    augment: {{speeds: [1.0], time_masks: 0, frequency_masks: 0}}
    frontend: {{channels: 8}}
model:
  width: 48
  encoder: {{name: rnn, layers: 1, hidden: 48, dropout: 0}}
train:
  steps: 150
  batch_elements: 800
  learning_rate: 0.01
  schedule: {{name: cosine, warmup: 10}}
evaluate: {{every: 150, by: speaker}}
"""
LEARNED = ["abe", "face", "a bad cab", "dad", "ed", "faded bee", "ace", "cafe", "bead", "feed a bee"]
Says = Callable[..., Result]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One recording of all that is to be learned, as Kaldi lists its parts; a table; recordings of their own."""
    folder = tmp_path_factory.mktemp("tones")
    spans = write_joined(folder / "all.flac", LEARNED)
    write_kaldi(folder / "train", [f"all {start:.3f} {end:.3f}" for start, end in spans], LEARNED)
    rows = ["path\tsaid\twho\n"]
    for number, text in enumerate(LEARNED[:4]):
        start, end = spans[number]
        rows.append(f"all.flac#t={start:.3f},{end:.3f}\t{text.upper()}!\t{'ann' if number else 'bob'}\n")
    (folder / "valid.tsv").write_text("".join(rows))
    tested = ["bad face", "Ed, dad."]
    (folder / "test").mkdir()
    for text, name in zip(["bad face", "ed dad"], ("bob-1", "ann-1"), strict=True):
        write(folder / f"{name}.wav", text)
    (folder / "test" / "wav.scp").write_text("bob-1 bob-1.wav\nann-1 ann-1.wav\n")
    (folder / "test" / "text").write_text(f"bob-1 {tested[0]}\nann-1 {tested[1]}\n")
    (folder / "test" / "utt2spk").write_text("bob-1 bob\nann-1 ann\n")
    (folder / "job.yaml").write_text(JOB)
    return folder


def write_kaldi(folder: Path, parts: Sequence[str], texts: Sequence[str]) -> None:
    folder.mkdir()
    (folder / "wav.scp").write_text("all all.flac\n")
    (folder / "segments").write_text("".join(f"u{n} {part}\n" for n, part in enumerate(parts)))
    (folder / "text").write_text("".join(f"u{n} {text}\n" for n, text in enumerate(texts)))
    (folder / "utt2spk").write_text("".join(f"u{n} ann\n" for n in range(len(texts))))


@pytest.fixture
def says(place: Path, monkeypatch: pytest.MonkeyPatch) -> Says:
    """``says("transcribe", model, "1.wav", code=0)``, in a process that is at that place."""
    monkeypatch.chdir(place)
    for name in ("SEQLOOM_REGISTRY", "SEQLOOM_RUNS", "SEQLOOM_CACHE"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: object, code: int = 0) -> Result:
        app = build_app(Catalog.from_environment())
        result = CliRunner().invoke(app, [str(word) for word in words])
        assert result.exit_code == code, result.output
        return result

    return run


def lines(result: Result) -> list[str]:
    return result.stdout.splitlines()


@pytest.mark.slow
def test_what_is_learned_of_parts_is_heard_in_others(says: Says, place: Path) -> None:
    """Training on a Kaldi folder's segments; a table's ``#t=``; whole recordings."""
    assert lines(says("train", "job.yaml")) == ["models:/tones/1"]
    first, second = place.read_parts if hasattr(place, "read_parts") else (0, 0)
    said = lines(says("transcribe", "tones", "bob-1.wav", "ann-1.wav"))
    assert said == ["bad face", "ed dad"]
    scores: list[dict[str, Any]] = json.loads(says("evaluate", "tones", "--json").stdout)
    by_name = {score["metric"]: score for score in scores}
    assert by_name["wer"]["value"] == 0
    assert by_name["wer"]["parts"] == {
        "words": 4,
        "hits": 4,
        "substitutions": 0,
        "deletions": 0,
        "insertions": 0,
    }
    assert "|norm:basic-1|" in by_name["wer"]["signature"]
