"""How fast is speech recognised? Seqloom beside ``generate`` of transformers' Speech2Text; and with CTC.

Usage: python benchmarks/speech.py [--utterances 48] [--batch 16] [--seconds 8] [--width 256]
                                   [--encoder-layers 6] [--decoder-layers 3] [--vocabulary 1000]
                                   [--tokens 30] [--rounds 3] [--threads 2]

Both have convolutions that keep a quarter of the frames, a Transformer over what is left and a Transformer
that writes, of the same width, layers, heads, inner width and vocabulary. Both are given the same features
of 80 mel filters: how fast these are made is for benchmarks/features.py to tell. Utterances are of 60 to
100 % of so many seconds. Weights are random, so both are kept from ending: each output has the same number
of tokens, and both take as many steps. In fp32, with a beam of 10 and greedily; the encoder's time counts.
Each contender runs twice: with memory as the system hands it out, and with freed memory kept. "With CTC" is
Seqloom with a CTC layer more, whose prefix scores are 0.3 of each token's. Each round runs each in a
process of its own, in turn: a first batch to warm up, then all utterances. Peers have environments of their
own: benchmarks/peers.py makes them.
"""

from __future__ import annotations

import argparse

from contest import Column, add_options, contender, hold, show, with_and_without

NAMES = {"seqloom": "seqloom", "transformers": "transformers"}
COLUMNS = [
    Column("sound_per_second", "sound s/s", decimals=1, detailed=True),
    Column("tokens_per_second", "tokens/s"),
    Column("parameters", "parameters"),
    Column("peak", "peak MiB"),
]
SHAPE = {"utterances": 48, "batch": 16, "width": 256, "encoder-layers": 6, "decoder-layers": 3}
TEXT = {"vocabulary": 1000, "tokens": 30}


def main() -> None:
    """Prints a table for each search."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    for name, value in {**SHAPE, **TEXT}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--seconds", type=float, default=8)
    add_options(parser, rounds=3)
    given = parser.parse_args()
    told = [name.replace("-", "_") for name in (*SHAPE, *TEXT, "seconds", "threads")]
    shape = [f"--{name}={getattr(given, name)}" for name in told]
    for beam in (10, 1):
        print(f"batch {given.batch}, {f'beam {beam}' if beam > 1 else 'greedy'}")
        searched = [*shape, f"--beam={beam}"]
        contenders = [
            each
            for peer, name in NAMES.items()
            for each in with_and_without(name, peer, *searched, verb="transcribe")
        ]
        contenders.append(
            contender(
                "seqloom with CTC, memory kept",
                "seqloom",
                *searched,
                "--ctc=0.3",
                "--allocator=keep",
                verb="transcribe",
            )
        )
        show(hold(contenders, given), COLUMNS, base=NAMES["transformers"])
        print(flush=True)


if __name__ == "__main__":
    main()
