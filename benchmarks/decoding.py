"""How fast does a model decode? Seqloom beside transformers and CTranslate2, with the same weights.

Usage: python benchmarks/decoding.py JOB [--model FOLDER] [--sentences 1000] [--rounds 3] [--threads 2]

The job names a Transformer with its norms after the sums, as Marian's (benchmarks/multi30k.yaml does). A
model trained by it is given, or is trained by this script, once, in the folder that SEQLOOM_BENCH names.
Its weights go to Hugging Face's MarianMT and to CTranslate2. All get the ids of the job's test inputs,
shortest first, in fp32: at batch 64 with a beam of 5 and greedily, and one by one. Each contender runs
twice: with memory as the system hands it out, and with freed memory kept. Each round runs each contender in
a process of its own, in turn: a first batch to warm up, then all sentences.

Printed are, for each setting, the medians, with the least and the most, of output tokens a second (EOS
counted), of peak memory (resident MiB of the whole process, loading included), the mean length of outputs,
the share of outputs that are Seqloom's, token by token, and the ratio to ``generate`` of transformers.
Beam searches rank and stop by rules of their own, so that only greedy outputs must agree. Peers have
environments of their own: benchmarks/peers.py makes them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from contest import CONTENDERS, Column, Contender, Found, add_options, hold, show, with_and_without
from peers import WORKSPACE

SEQLOOM = [sys.executable, "-c", "from seqloom.cli.main import main; main()"]
NAMES = {"seqloom": "seqloom", "transformers": "transformers", "ctranslate2": "CTranslate2"}
COLUMNS = [
    Column("tokens_per_second", "tokens/s", detailed=True),
    Column("peak", "peak MiB"),
    Column("length", "length", decimals=1),
    Column("same", "same", decimals=3),
]


class Setting(NamedTuple):
    """How to decode."""

    beam: int
    batch: int


SETTINGS = [Setting(5, 64), Setting(1, 64), Setting(5, 1), Setting(1, 1)]


def trained(job: Path, overrides: list[str]) -> Path:
    """The folder of a model that the job trained: in an earlier call, or now."""
    home = WORKSPACE / f"model-{job.stem}"
    if not (models := sorted(home.glob("runs/*/model"))):
        home.mkdir(parents=True, exist_ok=True)
        environment = os.environ | {"SEQLOOM_RUNS": str(home / "runs")}
        command = [
            *SEQLOOM,
            "--registry",
            f"sqlite:///{home / 'registry.db'}",
            "train",
            str(job.absolute()),
        ]
        subprocess.run([*command, *overrides], check=True, cwd=home, env=environment, stdout=sys.stderr)
        models = sorted(home.glob("runs/*/model"))
    return models[-1]


def field(folder: Path, setting: Setting, threads: int) -> list[Contender]:
    """All contenders."""
    arguments = ["decode", str(folder), f"--beam={setting.beam}", f"--batch={setting.batch}"]
    arguments.append(f"--threads={threads}")
    return [
        each
        for peer, name in NAMES.items()
        for each in with_and_without(name, peer, *arguments, f"--outputs={folder / peer}.json")
    ]


def compare(found: Mapping[str, Found], folder: Path) -> None:
    """Adds to each record the share of outputs that are Seqloom's."""
    ours = _outputs(folder, "seqloom")
    for peer, name in NAMES.items():
        theirs = _outputs(folder, peer)
        same = sum(map(list.__eq__, ours, theirs)) / len(theirs) if theirs else 0.0
        for each, (records, _) in found.items():
            for record in records if each.startswith(name) else []:
                record["same"] = same


def _outputs(folder: Path, peer: str) -> list[list[int]]:
    """What a contender decoded last."""
    file = folder / f"{peer}.json"
    return json.loads(file.read_text()) if file.exists() else []  # type: ignore[no-any-return]


def main() -> None:
    """Prints a table for each setting."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("job", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--sentences", type=int, default=1000)
    parser.add_argument("--set", dest="overrides", metavar="KEY=VALUE", action="append", default=[])
    add_options(parser, rounds=3)
    given = parser.parse_args()
    overrides = [f"--set={override}" for override in given.overrides]
    model, folder = given.model or trained(given.job, overrides), WORKSPACE / "decoding"
    material = [sys.executable, str(CONTENDERS / "material.py"), str(given.job), str(folder), *overrides]
    subprocess.run([*material, f"--model={model}", f"--sentences={given.sentences}"], check=True)
    for setting in SETTINGS:
        for peer in NAMES:
            (folder / f"{peer}.json").unlink(missing_ok=True)
        print(f"batch {setting.batch}, {f'beam {setting.beam}' if setting.beam > 1 else 'greedy'}")
        found = hold(field(folder, setting, given.threads), given)
        compare(found, folder)
        show(found, COLUMNS, base=NAMES["transformers"])
        print(flush=True)


if __name__ == "__main__":
    main()
