"""Hugging Face transformers as a contender: MarianMT trained from scratch in a loop, or generating.

The loop reads the batches that the plain loop reads, and is the plain loop in all but its model.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from stopwatch import arguments, time_decoding, time_training
from transformers import MarianConfig, MarianMTModel
from transformers.utils.logging import disable_progress_bar


def train(given: argparse.Namespace, told: dict[str, Any]) -> None:
    """AdamW, clipping, warm-up and inverse square root; label-smoothed cross-entropy."""
    tensors, pad = load_file(given.folder / "batches.safetensors"), told["pad"]
    count = len(tensors) // 2
    tokens = [int((tensors[f"target.{number}"] != pad).sum()) for number in range(count)]
    torch.manual_seed(1)
    shape = json.loads((given.folder / "marian.json").read_text())
    model = MarianMTModel(MarianConfig(**shape)).train()
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.98), weight_decay=0.0)

    def step(number: int) -> None:
        source, target = (tensors[f"{slot}.{number % count}"] for slot in ("source", "target"))
        read = target.roll(1, dims=1)
        read[:, 0] = told["bos"]
        ratio = (number + 1) / told["warmup"]
        optimizer.param_groups[0]["lr"] = told["learning_rate"] * min(ratio, ratio**-0.5)
        with torch.autocast("cpu", torch.bfloat16, enabled=given.dtype == "bf16"):
            inputs = {"input_ids": source, "attention_mask": source != pad, "decoder_input_ids": read}
            logits = model(**inputs, use_cache=False).logits
        loss = F.cross_entropy(
            logits.float().flatten(0, 1), target.flatten(), ignore_index=pad, label_smoothing=0.1
        )
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    time_training(step, tokens, given.seconds)


def decode(given: argparse.Namespace, told: dict[str, Any]) -> None:
    """``generate`` as it comes, its length penalty ours."""
    disable_progress_bar()
    model = MarianMTModel.from_pretrained(given.folder / "marian").eval()
    if given.dtype == "bf16":
        model = model.to(torch.bfloat16)

    @torch.inference_mode()
    def generate(sources: Sequence[list[int]]) -> list[list[int]]:
        rows = [torch.tensor(source) for source in sources]
        padded = torch.nn.utils.rnn.pad_sequence(rows, True, told["pad"])
        options = {"length_penalty": told["length_penalty"]} if given.beam > 1 else {}
        found = model.generate(
            input_ids=padded,
            attention_mask=(padded != told["pad"]).long(),
            num_beams=given.beam,
            do_sample=False,
            max_new_tokens=told["limit"],
            **options,
        )
        special = {told["pad"], told["bos"]}
        return [[token for token in row if token not in special] for row in found.tolist()]

    time_decoding(generate, given, told["eos"])


def main() -> None:
    """Trains or decodes."""
    given = arguments()
    torch.set_num_threads(given.threads)
    told = json.loads((given.folder / "about.json").read_text())
    (train if given.verb == "train" else decode)(given, told)


if __name__ == "__main__":
    main()
