"""How much memory does training data take, by the number of its pairs?

Usage: python benchmarks/data_memory.py [--pairs 100000 1000000] [--words 20] [--extrapolate 10000000]

Makes parallel text of that many lines, its words drawn from 50,000 by Zipf's law. Then each of these in
a process of its own: importing all that a training imports; learning a joint BPE of 8,000; preparing the
features; going through one epoch's batches. Prints the most that each kept resident, and the last one
drawn out along the line through the last two sizes. Mapped pages count where they are resident. Needs
Linux, whose VmHWM is of a process alone: getrusage counts what its parent had, too.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from seqloom.build import Builder
from seqloom.catalog import Catalog
from seqloom.data.batching import epoch_batches
from seqloom.data.cache import Cache
from seqloom.data.manifest import file_sha256
from seqloom.data.splits import split_files
from seqloom.jobfile import load_job
from seqloom.prepare import training_data, training_kit

JOB = """\
task: translation
preset: tiny
name: memory
data:
  train: {source: train.src, target: train.tgt}
  valid: {source: train.src, target: train.tgt}
tokenizers: {joint: {name: bpe, size: 8000}}
"""
PHASES = ("import", "tokenizer", "prepare", "epoch")
CHUNK = 100_000  # lines written at a time


def write_text(folder: Path, pairs: int, words: int) -> None:
    """Two files of random words, and a job that names them."""
    rng = np.random.default_rng(1)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    lexicon = np.array(["".join(rng.choice(letters, rng.integers(2, 10))) for _ in range(50_000)])
    for name in ("train.src", "train.tgt"):
        with (folder / name).open("w") as file:
            for start in range(0, pairs, CHUNK):
                counts = rng.integers(words // 2, words * 3 // 2 + 1, min(CHUNK, pairs - start))
                drawn = lexicon[np.minimum(rng.zipf(1.2, int(counts.sum())), len(lexicon)) - 1]
                for line in np.split(drawn, np.cumsum(counts)[:-1]):
                    file.write(" ".join(line) + "\n")
    (folder / "job.yaml").write_text(JOB)


def phase(folder: Path, name: str) -> None:
    """Does one of the phases in this process, and prints what it took."""
    started = time.perf_counter()
    if name != "import":
        catalog = Catalog.from_environment()
        job = load_job(folder / "job.yaml", catalog)
        builder = Builder(job.config, catalog)
        kit = training_kit(job, builder, folder / "tokenizers")
    if name in ("prepare", "epoch"):
        files = split_files(job.config.data.train, job.root)
        hashes = {str(file): file_sha256(file) for file in files}
        dataset = training_data(job, builder, kit, hashes, Cache(folder / "cache"))
    if name == "epoch":
        for batch in epoch_batches(dataset.lengths, 4096, seed=1, epoch=0):
            dataset.collate(batch, seed=1, epoch=0, augment=True)
    status = Path("/proc/self/status").read_text()
    kibibytes = int(status.partition("VmHWM:")[2].split()[0])
    print(json.dumps({"peak": kibibytes * 1024, "seconds": time.perf_counter() - started}))


def measure(pairs: int, words: int) -> dict[str, float]:
    """The peak of each phase in bytes."""
    peaks = {}
    with tempfile.TemporaryDirectory() as folder:
        write_text(Path(folder), pairs, words)
        for name in PHASES:
            command = [sys.executable, __file__, "--phase", name, "--folder", folder]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            found = json.loads(done.stdout)
            peaks[name] = found["peak"]
            mebibytes = found["peak"] / 2**20
            print(f"{pairs:>12,}  {name:10}{mebibytes:>10,.0f}{found['seconds']:>10,.1f}", flush=True)
    return peaks


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--pairs", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--words", type=int, default=20, help="of a line, on average")
    parser.add_argument("--extrapolate", type=int, default=10_000_000)
    parser.add_argument("--phase", choices=PHASES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.phase:
        phase(given.folder, given.phase)
        return
    print(f"{'pairs':>12}  {'phase':10}{'peak MiB':>10}{'seconds':>10}")
    peaks = [measure(pairs, given.words) for pairs in given.pairs]
    if len(peaks) > 1:
        (few, many), last = given.pairs[-2:], peaks[-1]["epoch"]
        slope = (last - peaks[-2]["epoch"]) / (many - few)
        drawn_out = (last + slope * (given.extrapolate - many)) / 2**20
        print(f"{given.extrapolate:>12,}  {'epoch':10}{drawn_out:>10,.0f}  drawn out")


if __name__ == "__main__":
    main()
