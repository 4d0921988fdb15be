"""Runs all benchmarks, briefly: `make bench`.

Usage: python benchmarks/everything.py [--job JOB] [--rounds 2] [--seconds 8] [--threads 2]

Without a job it is benchmarks/multi30k.yaml where SEQLOOM_DATA names a folder that holds Multi30k, and else
a job on the translation demo's generated corpus. Everything is written to the folder that SEQLOOM_BENCH
names, by default ``seqloom-bench`` in the system's folder for temporary files. Peers that
benchmarks/peers.py has not made are shown as not installed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from peers import WORKSPACE

HERE = Path(__file__).parent
PAIRS = 8000
JOB = """\
task: translation
data:
  train: {source: train.source, target: train.target}
  valid: {source: valid.source, target: valid.target}
  test: {source: test.source, target: test.target}
tokenizers: {joint: {name: bpe, size: 1200}}
model:
  width: 128
  encoder: {name: transformer, layers: 2, heads: 4, feed_forward: 512, dropout: 0.1, norm: post}
  decoder: {name: transformer, layers: 2, heads: 4, feed_forward: 512, dropout: 0.1, norm: post}
train: {steps: 300, batch_elements: 2048, learning_rate: 0.002, schedule: {name: cosine, warmup: 100}}
evaluate: {every: 300, metrics: [], best: ppl}
"""


def generated_job() -> Path:
    """A job on sentences of the translation demo's grammar."""
    from seqloom_translation.grammar import corpus  # noqa: PLC0415

    folder = WORKSPACE / "generated"
    folder.mkdir(parents=True, exist_ok=True)
    pairs = corpus(PAIRS, seed=1)
    for name, rows in {"test": pairs[:300], "valid": pairs[300:500], "train": pairs[500:]}.items():
        for slot, texts in zip(("source", "target"), zip(*rows, strict=True), strict=True):
            (folder / f"{name}.{slot}").write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    job = folder / "generated.yaml"
    job.write_text(JOB)
    return job


def default_job() -> Path:
    """Multi30k if it is there."""
    data = os.environ.get("SEQLOOM_DATA")
    if data and (Path(data) / "multi30k" / "tok").is_dir():
        return HERE / "multi30k.yaml"
    print(
        "SEQLOOM_DATA names no folder with Multi30k: the benchmarks run on a generated corpus.", flush=True
    )
    return generated_job()


def main() -> None:
    """Runs them in turn."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--job", type=Path)
    parser.add_argument("--rounds", default="2")
    parser.add_argument("--seconds", default="8")
    parser.add_argument("--threads", default="2")
    given = parser.parse_args()
    job = str(given.job or default_job())
    contest = ["--rounds", given.rounds, "--threads", given.threads]
    for name, *arguments in (
        ("startup", *contest),
        ("many_plugins", *contest),
        ("training", job, *contest, "--seconds", given.seconds),
        ("decoding", job, *contest, "--sentences", "256"),
        ("allocator", job, "--rounds", given.rounds, "--steps", "20"),
        ("data_memory", "--pairs", "20000", "100000"),
        ("pictures", "--pictures", "300", "--rounds", given.rounds),
        ("backbone", "--rounds", given.rounds, "--threads", given.threads),
        ("captioning", *contest),
        ("features", "--rounds", given.rounds),
        ("speech", *contest),
        ("recognizers", *contest),
        ("registry", "--runs", "4000", "--scores", "200000", "--rounds", given.rounds),
    ):
        print(f"\n== benchmarks/{name}.py {' '.join(arguments)}", flush=True)
        subprocess.run([sys.executable, str(HERE / f"{name}.py"), *arguments], check=True)


if __name__ == "__main__":
    main()
