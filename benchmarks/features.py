"""How many seconds of sound a second become log-mel features, beside plain torchaudio?

Usage: python benchmarks/features.py [--utterances 40] [--seconds 6] [--rounds 5] [--threads 1] [--batch 8]

Both make 80 mel filters of windows of 25 ms each 10 ms, take the logarithm, and bring each feature of an
utterance to mean 0 and variance 1. Plain is torchaudio's MelSpectrogram, on samples that are there as
floats. "In workers" is what a data worker does for each example of each batch, from samples of 16 bits;
"on the device" is what a front end does for a batch of them, here on the CPU. "From files" decodes FLAC
before that, by soundfile in the plain script, by Seqloom with all its checks. All take turns; each figure
is the median of its rounds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor
from torchaudio.transforms import MelSpectrogram

from seqloom.batch import Padded
from seqloom_audio.build import build
from seqloom_audio.options import AudioOptions

RATE = 16_000


def make_sounds(folder: Path, given: argparse.Namespace) -> list[str]:
    """FLACs of tones that rise, under some noise."""
    numbers = np.random.default_rng(1)
    time_s = np.arange(round(given.seconds * RATE)) / RATE
    files = []
    for number in range(given.utterances):
        tone = 0.3 * np.sin(2 * np.pi * (100 + 10 * number) * time_s * (1 + time_s / 5))
        files.append(str(folder / f"{number}.flac"))
        soundfile.write(files[-1], tone + 0.02 * numbers.normal(size=len(time_s)), RATE)
    return files


class Plain:
    """What a plain script does."""

    def __init__(self) -> None:
        self.mel = MelSpectrogram(RATE, n_fft=512, win_length=400, hop_length=160, n_mels=80)

    def __call__(self, samples: Tensor) -> Tensor:
        """[.., samples] to [.., bins, frames]."""
        features = torch.log(self.mel(samples) + 1e-8)
        mean, deviation = features.mean(-1, keepdim=True), features.std(-1, keepdim=True)
        normalized: Tensor = (features - mean) / (deviation + 1e-5)
        return normalized

    def from_file(self, file: str) -> Tensor:
        """A file to [bins, frames]."""
        samples, _ = soundfile.read(file, dtype="float32")
        return self(torch.from_numpy(samples))


def contenders(files: list[str], given: argparse.Namespace) -> dict[str, Callable[[], object]]:
    """What goes through all utterances once."""
    plain = Plain()
    workers = build(AudioOptions())
    spectra = build(AudioOptions(compute="device")).frontend(8, None).spectra
    assert spectra is not None
    rows = [workers.read(file) for file in files]
    floats = [one.flatten().float() / 32_768 for one in rows]
    groups = [slice(at, at + given.batch) for at in range(0, len(files), given.batch)]
    batches = [
        Padded(torch.stack(rows[group]), torch.tensor(list(map(len, rows[group])))) for group in groups
    ]
    stacked = [torch.stack(floats[group]) for group in groups]
    return {
        "Seqloom, in workers": lambda: [workers.present(one, None) for one in rows],
        "torchaudio, one by one": lambda: [plain(one) for one in floats],
        "Seqloom, on the device": lambda: [spectra(batch) for batch in batches],
        "torchaudio, in batches": lambda: [plain(batch) for batch in stacked],
        "Seqloom, from files": lambda: [workers.present(workers.read(file), None) for file in files],
        "soundfile and torchaudio, from files": lambda: [plain.from_file(file) for file in files],
    }


@torch.inference_mode()
def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=6.0)
    for name, value in (("utterances", 40), ("rounds", 5), ("threads", 1), ("batch", 8)):
        parser.add_argument(f"--{name}", type=int, default=value)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    rates: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        work = contenders(make_sounds(Path(folder), given), given)
        for number in range(given.rounds + 1):  # the first is for what is made on first use
            for name, once in work.items():
                started = time.perf_counter()
                once()
                if number:
                    seconds = time.perf_counter() - started
                    rates.setdefault(name, []).append(given.utterances * given.seconds / seconds)
    print(
        f"{given.utterances} utterances of {given.seconds:g} s, {given.threads} threads, by {given.batch}"
    )
    print(f"{'seconds of sound a second':<40}{'median':>10}{'lowest':>10}{'highest':>10}")
    for name, found in rates.items():
        print(f"{name:<40}{statistics.median(found):>10.0f}{min(found):>10.0f}{max(found):>10.0f}")


if __name__ == "__main__":
    main()
