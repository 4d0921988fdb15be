"""A training loop as one writes it in plain PyTorch, on batches made beforehand."""

from __future__ import annotations

import json

import torch
from plain import PlainLoop, PlainTransformer, Shape
from safetensors.torch import load_file
from stopwatch import arguments, time_training


def main() -> None:
    """Trains."""
    given = arguments()
    torch.set_num_threads(given.threads)
    torch.manual_seed(1)
    told = json.loads((given.folder / "about.json").read_text())
    tensors = load_file(given.folder / "batches.safetensors")
    count, pad = len(tensors) // 2, told["pad"]
    batches, tokens = [], []
    for number in range(count):
        target = tensors[f"target.{number}"]
        read = target.roll(1, dims=1)
        read[:, 0] = told["bos"]
        batches.append((tensors[f"source.{number}"], read, target))
        tokens.append(int((target != pad).sum()))
    model = PlainTransformer(Shape(**{name: told[name] for name in Shape.__annotations__}), pad).train()
    loop = PlainLoop(model, told["learning_rate"], told["warmup"], bf16=given.dtype == "bf16")
    time_training(lambda number: loop.step(*batches[number % count]), tokens, given.seconds)


if __name__ == "__main__":
    main()
