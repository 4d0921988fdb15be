"""How fast do recognisers of speech learn and transcribe? The real-time factors of the task's presets.

Usage: python benchmarks/recognizers.py [--presets las transformer conformer ctc] [--utterances 64]
                                        [--seconds 6] [--characters 60] [--steps 6] [--rounds 3]
                                        [--threads 2]

A real-time factor is seconds of work for a second of sound: of less than 1, work is faster than speech.
Utterances are noise of so many seconds, with random text. Training is the trainer's own steps, batches of
the preset's size, features made and varied within the time measured. Transcribing begins with files and
ends with text; as untrained decoders know no end, they are kept from ending before so many characters. All
presets take turns; each figure is the median of the rounds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
import torch

sys.path.append(str(Path(__file__).parent / "contenders"))
from material import Parts, open_job

from seqloom.allocator import tuned
from seqloom.catalog import Catalog
from seqloom.config import DecodeConfig
from seqloom.data.loader import Loader
from seqloom.device import Device, choose_device
from seqloom.inputs import located_inputs
from seqloom.jobfile import load_job
from seqloom.model import Seq2Seq
from seqloom.optim import learning_rate, make_optimizer
from seqloom.step import MicroBatch, Stepper
from seqloom.stream import Decoding, decode_stream

RATE = 16_000
NEVER = -1e9
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ "


def make_data(folder: Path, given: argparse.Namespace) -> list[str]:
    """Files of noise, and a table of them."""
    numbers = np.random.default_rng(1)
    files, rows = [], ["speech\ttarget"]
    for number in range(given.utterances):
        files.append(str(folder / f"{number}.wav"))
        soundfile.write(files[-1], numbers.normal(size=round(given.seconds * RATE)) * 0.1, RATE)
        text = "".join(numbers.choice(list(LETTERS), given.characters)).strip()
        rows.append(f"{number}.wav\tA{text}Z")
    (folder / "train.tsv").write_text("\n".join(rows) + "\n")
    return files


class Recognizer:
    """A preset at work.

    Args:
        preset: Its name.
        folder: Where the data is.
        given: How much of it.
        device: Where to compute.
    """

    def __init__(self, preset: str, folder: Path, given: argparse.Namespace, device: Device) -> None:
        data = {"file": "train.tsv", "columns": {"speech": "speech", "target": "target"}}
        told = {"task": "speech", "preset": preset, "data": {"train": data, "valid": data}}
        file = folder / f"{preset}.yaml"
        file.write_text(json.dumps(told))
        catalog = Catalog.from_environment()
        self.given, self.device = given, device
        self.job = load_job(file, catalog)
        self.parts: Parts = open_job(self.job, catalog, folder / "tokenizers")
        torch.manual_seed(1)
        self.model: Seq2Seq = self.parts.builder.model(self.parts.kit)
        config = self.parts.config.train
        optimizer = make_optimizer(self.model, config, fused=False)
        loader = Loader(self.parts.dataset, config.seed)
        self.stepper = Stepper(self.model, loader, optimizer, config, device)

    def learn(self) -> float:
        """Some steps; returns the seconds of sound in them."""
        utterances = 0
        for number in range(self.given.steps):
            ids = self.parts.plan[number % len(self.parts.plan)]
            self.stepper([MicroBatch(0, ids)], number, learning_rate(number + 1, self.parts.config.train))
            utterances += len(ids)
        return float(utterances * self.given.seconds)

    def transcribe(self, files: list[str], beam: int) -> float:
        """All files; returns the seconds of sound in them."""
        kit = self.parts.kit
        end = kit.tokenizers["target"].vocabulary.eos
        for name, parameter in self.model.named_parameters():
            if name == "head.decoder.output.bias":
                parameter.data[end] = NEVER
        limits = {"max_length_factor": 0, "max_length_offset": self.given.characters}
        options = DecodeConfig(**{**self.parts.config.decode.model_dump(), "beam": beam, **limits})
        inputs = located_inputs(files, kit.slots, "<inputs>")
        how = Decoding(
            model=self.model,
            task=kit.task,
            modalities=kit.modalities,
            options=options,
            device=self.device,
            flags=kit.flags,
        )
        found = decode_stream(inputs, how)
        return len(list(found)) * float(self.given.seconds)


def factor(work: Callable[[], float]) -> float:
    """Seconds that it takes for a second of sound."""
    started = time.perf_counter()
    return 1 / (work() / (time.perf_counter() - started))


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--presets", nargs="+", default=["las", "transformer", "conformer", "ctc"])
    parser.add_argument("--seconds", type=float, default=6)
    for name, value in (
        ("utterances", 64),
        ("characters", 60),
        ("steps", 6),
        ("rounds", 3),
        ("threads", 2),
    ):
        parser.add_argument(f"--{name}", type=int, default=value)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    device = tuned(choose_device("cpu", "fp32"), "keep")
    factors: dict[tuple[str, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        files = make_data(Path(name), given)
        at_work = {preset: Recognizer(preset, Path(name), given, device) for preset in given.presets}
        for number in range(given.rounds + 1):  # the first warms up
            for preset, recognizer in at_work.items():
                works = {
                    "training": recognizer.learn,
                    "greedy": lambda each=recognizer: each.transcribe(files, 1),
                    "beam 10": lambda each=recognizer: each.transcribe(files, 10),
                }
                for kind, work in works.items():
                    taken = factor(work)
                    if number:
                        factors.setdefault((preset, kind), []).append(taken)
    print(f"{given.utterances} utterances of {given.seconds:g} s, {given.threads} threads")
    print(f"{'preset':<14}{'parameters':>12}{'training':>12}{'greedy':>12}{'beam 10':>12}")
    for preset, recognizer in at_work.items():
        size = sum(each.numel() for each in recognizer.model.parameters())
        cells = [statistics.median(factors[preset, kind]) for kind in ("training", "greedy", "beam 10")]
        print(f"{preset:<14}{size:>12,}" + "".join(f"{cell:>12.4f}" for cell in cells))


if __name__ == "__main__":
    main()
