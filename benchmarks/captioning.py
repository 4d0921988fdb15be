"""How fast are pictures described? Seqloom beside ``generate`` of transformers' VisionEncoderDecoderModel.

Usage: python benchmarks/captioning.py [--pictures 96] [--batch 16] [--size 128] [--patch 16] [--width 256]
                                       [--layers 3] [--vocabulary 4000] [--words 20]
                                       [--rounds 3] [--threads 2]

Both have a Transformer over the same patches of a picture and a Transformer that writes, of the same width,
layers, heads, inner width and vocabulary; theirs are a ViT and a GPT-2 with attention to it. Weights are
random, so both are kept from ending: each caption has the same number of words, and both take as many
steps. In fp32, with a beam of 5 and greedily; the pictures' features are computed within the time measured.
Each contender runs twice: with memory as the system hands it out, and with freed memory kept. Each round
runs each in a process of its own, in turn: a first batch to warm up, then all pictures. Peers have
environments of their own: benchmarks/peers.py makes them.
"""

from __future__ import annotations

import argparse

from contest import Column, add_options, hold, show, with_and_without

NAMES = {"seqloom": "seqloom", "transformers": "transformers"}
COLUMNS = [
    Column("tokens_per_second", "words/s", detailed=True),
    Column("pictures_per_second", "pictures/s", decimals=1),
    Column("parameters", "parameters"),
    Column("peak", "peak MiB"),
]
SHAPE = {"pictures": 96, "batch": 16, "size": 128, "patch": 16, "width": 256, "layers": 3}
TEXT = {"vocabulary": 4000, "words": 20}


def main() -> None:
    """Prints a table for each search."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    for name, value in {**SHAPE, **TEXT}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    add_options(parser, rounds=3)
    given = parser.parse_args()
    shape = [f"--{name}={getattr(given, name)}" for name in (*SHAPE, *TEXT, "threads")]
    for beam in (5, 1):
        print(f"batch {given.batch}, {f'beam {beam}' if beam > 1 else 'greedy'}")
        contenders = [
            each
            for peer, name in NAMES.items()
            for each in with_and_without(name, peer, *shape, f"--beam={beam}", verb="caption")
        ]
        show(hold(contenders, given), COLUMNS, base=NAMES["transformers"])
        print(flush=True)


if __name__ == "__main__":
    main()
