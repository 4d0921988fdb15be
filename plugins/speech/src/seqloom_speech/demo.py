"""``seqloom demo speech``: Morse code that we sound, and a job that learns to write it down."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import soundfile

from seqloom.hooks import Demo, DemoRequest
from seqloom_speech.morse import RATE_HZ, message, sounded

COUNTS = {"train": 8000, "valid": 100, "test": 200}

JOB = """\
# Learns to write down the demo's Morse code, within minutes on two cores.
task: speech
preset: ctc
name: demo-speech
data:
  train: {file: train.jsonl, columns: {speech: sound, target: text}}
  valid: {file: valid.jsonl, columns: {speech: sound, target: text}}
  test: {file: test.jsonl, columns: {speech: sound, target: text}}
  workers: 1
inputs:
  speech:
    rate_hz: 4000
    # One or both filters hear the tone; of many, most hear noise alone, which normalisation makes as loud.
    features: {name: log_mel, bins: 2, window_ms: 24, hop_ms: 12, low_hz: 300, high_hz: 1100}
    augment: {speeds: [], time_masks: 0, frequency_masks: 0}  # sounds are made with all that
    frontend: {name: stack, frames: 6}
model: {width: 96, encoder: {name: rnn, hidden: 96, dropout: 0.1}}
train:
  steps: 1800
  batch_elements: 4000
  learning_rate: 0.01
  schedule: {name: cosine, warmup: 50}
  ema: 0.99
evaluate:
  every: 900
decode: {beam: 1}
"""


def make_demo(request: DemoRequest) -> Demo:
    """Sounds the messages and writes the job file; no message of the test set occurs in training."""
    folder = Path(request.folder).resolve()
    random = np.random.default_rng(request.seed)
    messages = list(dict.fromkeys(message(random) for _ in range(2 * sum(COUNTS.values()))))
    written: dict[str, list[tuple[str, str]]] = {}
    for split, count in COUNTS.items():
        chosen, messages = messages[:count], messages[count:]
        written[split] = _write(folder, split, chosen, random)
    job = folder / "job.yaml"
    job.write_text(JOB, encoding="utf-8")
    learned = {text for _, text in written["train"]}
    unseen = [(str(folder / sound), text) for sound, text in written["test"][:5]]
    sounds = shlex.quote(str(folder / "sounds"))
    return Demo(
        job=str(job),
        name="demo-speech",
        facts={
            "messages": ", ".join(f"{count:,} for {split}" for split, count in COUNTS.items()),
            "test messages that occur in training": str(
                sum(text in learned for _, text in written["test"])
            ),
        },
        unseen=unseen,
        flags={"alignment": str(folder / "alignment")},
        next=[
            f"seqloom transcribe {{model}} {shlex.quote(unseen[0][0])} --times --format jsonl",
            f"seqloom transcribe {{model}} {sounds}/test-*.wav --format ctm",
            "seqloom models show {model}",
        ],
    )


def _write(
    folder: Path, split: str, texts: list[str], random: np.random.Generator
) -> list[tuple[str, str]]:
    """Sounds messages and lists them in a table; gives each one's file, within the folder, and text."""
    (folder / "sounds").mkdir(exist_ok=True)
    rows = []
    for number, text in enumerate(texts):
        sound = f"sounds/{split}-{number:04d}.wav"
        soundfile.write(folder / sound, sounded(text, random), RATE_HZ, "ULAW")
        rows.append((sound, text))
    lines = [json.dumps({"sound": sound, "text": text}) + "\n" for sound, text in rows]
    (folder / f"{split}.jsonl").write_text("".join(lines), encoding="utf-8")
    return rows
