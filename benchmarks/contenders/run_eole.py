"""Eole as a contender: its own command, on batches that it makes itself."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from stopwatch import arguments, watch_training

LOAD_EXAMPLES = 29_000  # that it sorts by length together


def configuration(given: argparse.Namespace, told: dict[str, Any]) -> dict[str, Any]:
    """A Transformer of the same shape, the same number of tokens a batch, the same optimiser."""
    folder = given.folder
    return {
        "seed": 1,
        "share_vocab": True,
        "src_vocab": f"{folder}/eole.vocabulary",
        "tgt_vocab": f"{folder}/eole.vocabulary",
        "src_vocab_size": told["vocabulary"],
        "tgt_vocab_size": told["vocabulary"],
        "save_data": f"{folder}/eole",
        "overwrite": True,
        "report_every": 2,
        "transforms": [],
        "data": {"corpus": {"path_src": f"{folder}/train.source", "path_tgt": f"{folder}/train.target"}},
        "training": {
            "world_size": 0,
            "gpu_ranks": [],
            "compute_dtype": given.dtype,
            "batch_type": "tokens",
            "batch_size": told["batch_elements"],
            "batch_size_multiple": 1,
            "accum_count": [1],
            "normalization": "tokens",
            "num_workers": 0,
            "bucket_size": LOAD_EXAMPLES,
            "optim": "adamw",
            "adam_beta2": 0.98,
            "learning_rate": 1.0,
            "decay_method": "noam",
            "warmup_steps": told["warmup"],
            "max_grad_norm": 1.0,
            "label_smoothing": 0.1,
            "dropout": [told["dropout"]],
            "attention_dropout": [told["attention_dropout"]],
            "param_init_method": "xavier_uniform",
            "train_steps": 1_000_000,
            "valid_steps": 1_000_000,
            "save_checkpoint_steps": 1_000_000,
            "model_path": f"{folder}/eole/model",
        },
        "model": {
            "architecture": "transformer",
            "layers": told["layers"],
            "hidden_size": told["width"],
            "heads": told["heads"],
            "transformer_ff": told["feed_forward"],
            "share_embeddings": True,
            "share_decoder_embeddings": True,
            "add_ffnbias": True,
            "add_qkvbias": True,
            "add_final_linear_bias": True,
            "embeddings": {
                "word_vec_size": told["width"],
                "position_encoding_type": "SinusoidalInterleaved",
            },
        },
    }


def main() -> None:
    """Trains."""
    given = arguments()
    told = json.loads((given.folder / "about.json").read_text())
    ours = {told[name] for name in ("unk", "pad", "bos", "eos")}  # it has its own
    words = [str(number) for number in range(told["vocabulary"]) if number not in ours]
    (given.folder / "eole.vocabulary").write_text("".join(f"{word}\t1\n" for word in words))
    file = given.folder / "eole.yaml"
    file.write_text(json.dumps(configuration(given, told), indent=2))  # JSON is YAML
    command = [str(Path(sys.executable).with_name("eole")), "train", "-config", str(file)]
    watch_training("eole", command, r"\d+/\s*(\d+) tok/s", given)


if __name__ == "__main__":
    main()
