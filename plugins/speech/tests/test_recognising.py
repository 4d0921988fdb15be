"""From recordings as their lists have them to scores of speakers, and to what is said in parts of files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from spoken import RATE_HZ, write, write_joined
from typer.testing import CliRunner, Result

from seqloom.catalog import Catalog
from seqloom.cli.main import build_app

TAGGED = "tags: {speaker: speaker}"
JOB = f"""\
task: {{name: speech, normalization: basic-1}}
preset: ctc
name: tones
device: cpu
data:
  train: {{file: train, columns: {{speech: [wav, start, end], target: text}}, {TAGGED}}}
  valid: {{file: valid.tsv, columns: {{speech: path, target: said}}, {TAGGED}}}
  test: {{file: test, columns: {{speech: wav, target: text}}, {TAGGED}}}
  workers: 0
inputs:
  speech:
    rate_hz: {RATE_HZ}
    features: {{name: log_mel, bins: 40}}
    augment: {{speeds: [1.0], time_masks: 0, frequency_masks: 0}}
    frontend: {{channels: 8}}
model:
  width: 48
  encoder: none
train:
  steps: 150
  batch_elements: 1500
  learning_rate: 0.01
  schedule: {{name: cosine, warmup: 10}}
evaluate: {{every: 150, by: speaker}}
"""
LEARNED = [
    "Abe, face!",
    "a bad cab",
    "DAD",
    "ed...",
    "faded bee",
    "ace -- cafe",
    "bead",
    "feed a bee",
    "cafe",
]
TESTED = {"bob-1": "Bad face?", "ann-1": "Ed, Dad", "ann-2": "a bead."}
pytestmark = pytest.mark.slow
Seqloom = Callable[..., Result]


def plain(text: str) -> str:
    return " ".join("".join(letter for letter in text.lower() if letter.isalpha() or letter == " ").split())


def write_list(folder: Path, name: str, lines: Sequence[tuple[str, object]]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("".join(f"{key} {rest}\n" for key, rest in lines))


@pytest.fixture(scope="module")
def spans(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[float, float]]]:
    """When each text to learn begins and ends in one recording; around are lists, tables and a job."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("tones"))
        for name in ("SEQLOOM_REGISTRY", "SEQLOOM_RUNS", "SEQLOOM_CACHE"):
            patch.delenv(name, raising=False)
        found = write_joined(Path("all.flac"), list(map(plain, LEARNED)))
        names = [f"u{number}" for number in range(len(LEARNED))]
        segments = [f"all {start:.3f} {end:.3f}" for start, end in found]
        write_list(Path("train"), "wav.scp", [("all", "all.flac")])
        for file, rest in {"segments": segments, "text": LEARNED, "utt2spk": ["ann"] * len(names)}.items():
            write_list(Path("train"), file, list(zip(names, rest, strict=True)))
        rows = [
            f"all.flac#t={a:.3f},{b:.3f}\t{text}\tann\n"
            for (a, b), text in zip(found, LEARNED, strict=True)
        ]
        Path("valid.tsv").write_text("path\tsaid\tspeaker\n" + "".join(rows[:4]))
        write_list(
            Path("test"), "wav.scp", [(n, write(Path(f"{n}.wav"), plain(TESTED[n]))) for n in TESTED]
        )
        write_list(Path("test"), "text", list(TESTED.items()))
        write_list(Path("test"), "utt2spk", [(name, name[:3]) for name in TESTED])
        Path("job.yaml").write_text(JOB)
        yield found


@pytest.fixture(scope="module")
def seqloom(spans: list[tuple[float, float]]) -> Seqloom:
    def run(*words: object, code: int = 0) -> Result:
        result = CliRunner().invoke(build_app(Catalog.from_environment()), [str(word) for word in words])
        assert result.exit_code == code, result.output
        return result

    assert run("train", "job.yaml").stdout == "models:/tones/1\n"
    return run


def test_what_was_learned_from_segments_is_heard_elsewhere(seqloom: Seqloom, spans: Any) -> None:
    """In recordings of their own, and in parts of a file, those that nobody listed, too."""
    (start, _), (_, end) = spans[2:4]
    part = f"all.flac#t={start:.3f},{end:.3f}"
    said = seqloom("transcribe", "tones/1", "bob-1.wav", part, "ann-1.wav").stdout
    assert said.splitlines() == ["bad face", "daded", "ed dad"]


def test_each_speaker_is_scored(seqloom: Seqloom) -> None:
    scores = {s["metric"]: s for s in json.loads(seqloom("evaluate", "tones/1", "--json").stdout)}
    assert {(name, score["value"]) for name, score in scores.items() if "wer" in name} == {
        ("wer", 0),
        ("speaker=ann/wer", 0),
        ("speaker=bob/wer", 0),
    }
    assert "|norm:basic-1|beam:10|" in scores["wer"]["signature"]
    assert scores["ppl"]["signature"].endswith("|norm:basic-1")
    none = {"substitutions": 0, "deletions": 0, "insertions": 0}
    assert scores["wer"]["parts"] == {"words": 6, "hits": 6, **none}
    assert scores["speaker=ann/cer"]["parts"] == {"characters": 12, "hits": 12, **none}
    shown = [line.split() for line in seqloom("evaluate", "tones/1").stdout.splitlines()]
    assert ["speaker", "wer", "words", "hits", *none] in shown
    assert shown.index(["ann", "0.00", "4", "4", "0", "0", "0"]) + 1 == shown.index(
        ["bob", "0.00", "2", "2", "0", "0", "0"]
    )
    assert ["wer", "6", "words", "6", "(100.00%)", *["0", "(0.00%)"] * 3] in shown
    kept = json.loads(seqloom("runs", "list", "--limit", 1, "--json").stdout)[0]["scores"]
    assert {score["metric"]: score["parts"] for score in kept} == {n: s["parts"] for n, s in scores.items()}


def test_another_form_of_texts_is_prepared_anew(seqloom: Seqloom) -> None:
    def prepared() -> int:
        return sum(path.is_dir() for path in Path("runs/cache").iterdir())

    before = prepared()
    seqloom("train", "job.yaml", "--set", "train.steps=1", "--set", "train.seed=2")
    assert prepared() == before
    seqloom("train", "job.yaml", "--set", "train.steps=1", "--set", "task.normalization=none")
    assert prepared() == before + 1
    (cer,) = (
        score
        for score in json.loads(seqloom("models", "show", "tones", "--json").stdout)["scores"]
        if score["metric"] == "cer"
    )
    assert "norm" not in cer["signature"]
    assert cer["parts"]["characters"] == sum(map(len, LEARNED[:4]))


def test_the_share_of_ctc_is_asked_for_and_told(seqloom: Seqloom) -> None:
    scores = json.loads(seqloom("evaluate", "tones/1", "--ctc", 1, "--beam", 1, "--json").stdout)
    assert scores[-1]["signature"].endswith("|beam:1|lp:0|ctc:1")
    told = seqloom("transcribe", "tones/1", "bob-1.wav", "--ctc", 0.5, code=78).stderr
    assert "decode.ctc 0.5" in told
