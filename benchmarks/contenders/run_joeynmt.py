"""JoeyNMT as a contender: its own command, on batches that it makes itself."""

from __future__ import annotations

import json
import sys
from typing import Any

from stopwatch import arguments, watch_training

SPECIAL = {"unk": "<unk>", "pad": "<pad>", "bos": "<s>", "eos": "</s>"}
"""In the order of the ids that it gives them."""


def configuration(folder: str, told: dict[str, Any]) -> dict[str, Any]:
    """A Transformer of the same shape, the same number of tokens a batch, the same optimiser."""
    half = {
        "type": "transformer",
        "num_layers": told["layers"],
        "num_heads": told["heads"],
        "embeddings": {"embedding_dim": told["width"], "scale": True},
        "hidden_size": told["width"],
        "ff_size": told["feed_forward"],
        "dropout": told["dropout"],
        "layer_norm": told["norm"],
    }
    symbols = {f"{name}_token": word for name, word in SPECIAL.items()}
    symbols |= {f"{name}_id": number for number, name in enumerate(SPECIAL)}
    side = {"level": "word", "lowercase": False, "voc_file": f"{folder}/joeynmt.vocabulary"}
    return {
        "name": "benchmark",
        "joeynmt_version": "2.3.0",
        "model_dir": f"{folder}/joeynmt",
        "use_cuda": False,
        "fp16": False,
        "random_seed": 1,
        "data": {
            "dataset_type": "plain",
            "train": f"{folder}/train",
            "dev": f"{folder}/valid",
            "src": {"lang": "source", **side},
            "trg": {"lang": "target", **side},
            "special_symbols": symbols,
        },
        "testing": {"batch_type": "sentence", "batch_size": 64, "eval_metrics": []},
        "training": {
            "overwrite": True,
            "optimizer": "adamw",
            "adam_betas": [0.9, 0.98],
            "learning_rate": told["learning_rate"],
            "scheduling": "warmupinversesquareroot",
            "learning_rate_warmup": told["warmup"],
            "clip_grad_norm": 1.0,
            "loss": "crossentropy",
            "label_smoothing": 0.1,
            "normalization": "tokens",
            "batch_size": told["batch_elements"],
            "batch_type": "token",
            "shuffle": True,
            "epochs": 10_000,
            "validation_freq": 1_000_000,
            "logging_freq": 2,
            "early_stopping_metric": "loss",
        },
        "model": {
            "initializer": "xavier_uniform",
            "embed_initializer": "xavier_uniform",
            "tied_embeddings": True,
            "tied_softmax": True,
            "encoder": half,
            "decoder": half,
        },
    }


def main() -> None:
    """Trains."""
    given = arguments()
    folder = given.folder
    told = json.loads((folder / "about.json").read_text())
    ours = {told[name] for name in SPECIAL}
    words = [str(number) for number in range(told["vocabulary"]) if number not in ours]
    (folder / "joeynmt.vocabulary").write_text("\n".join([*SPECIAL.values(), *words]) + "\n")
    file = folder / "joeynmt.yaml"
    file.write_text(json.dumps(configuration(str(folder), told), indent=2))  # JSON is YAML
    command = [sys.executable, "-m", "joeynmt", "train", str(file), "--skip-test"]
    watch_training("joeynmt", command, r"Tokens per Sec:\s+(\d+)", given)


if __name__ == "__main__":
    main()
