"""The weights of a Transformer of ours as those of Hugging Face's MarianMT.

The two compute the same where ours has its norms after the sums. MarianMT reads its positions from the
file, so ours go there; what no search of ours ever writes, PAD and BOS, gets a bias that rules it out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from seqloom.nn.positions import sinusoids

POSITIONS = 512
NEVER = -1e9
PARTS = {  # of a layer: our name, and Marian's names for what ours makes in one product
    "self_attention.project": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "self_attention.out": ("self_attn.out_proj",),
    "self_sum.norm": ("self_attn_layer_norm",),
    "cross_attention.query": ("encoder_attn.q_proj",),
    "cross_attention.project": ("encoder_attn.k_proj", "encoder_attn.v_proj"),
    "cross_attention.out": ("encoder_attn.out_proj",),
    "cross_sum.norm": ("encoder_attn_layer_norm",),
    "feed_forward.inner": ("fc1",),
    "feed_forward.outer": ("fc2",),
    "feed_forward_sum.norm": ("final_layer_norm",),
}


def marian_config(about: Mapping[str, Any]) -> dict[str, Any]:
    """A MarianConfig's arguments."""
    both = ("encoder", "decoder")
    return {
        "vocab_size": about["vocabulary"],
        "d_model": about["width"],
        **{f"{half}_layers": about["layers"] for half in both},
        **{f"{half}_attention_heads": about["heads"] for half in both},
        **{f"{half}_ffn_dim": about["feed_forward"] for half in both},
        "activation_function": about["activation"],
        "dropout": about["dropout"],
        "attention_dropout": about["attention_dropout"],
        "scale_embedding": True,
        "max_position_embeddings": POSITIONS,
        "pad_token_id": about["pad"],
        "bos_token_id": about["bos"],
        "eos_token_id": about["eos"],
        "forced_eos_token_id": None,
        "decoder_start_token_id": about["bos"],
        "share_encoder_decoder_embeddings": True,
        "tie_word_embeddings": True,
    }


def write_marian(folder: Path, weights: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """Writes a folder that ``MarianMTModel.from_pretrained`` reads.

    Raises:
        SystemExit: The model is not one that MarianMT can be.
    """
    if about["norm"] != "post" or about["positions"] != "sinusoidal":
        raise SystemExit("MarianMT has its norms after the sums, and sinusoidal positions: set norm: post")
    folder.mkdir(parents=True, exist_ok=True)
    config = {"model_type": "marian", "architectures": ["MarianMTModel"], **marian_config(about)}
    (folder / "config.json").write_text(json.dumps(config, indent=2))
    bias = weights["head.decoder.output.bias"].clone()
    bias[[about["pad"], about["bos"]]] = NEVER
    positions = sinusoids(POSITIONS, about["width"])
    tensors = {
        "model.shared.weight": weights["frontends.source.embedding.weight"],
        "final_logits_bias": bias[None],
        "model.encoder.embed_positions.weight": positions,
        "model.decoder.embed_positions.weight": positions.clone(),
        **dict(_layers(weights)),
    }
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def _layers(weights: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    for prefix, half in (("encoders.source.layers.", "encoder"), ("head.decoder.layers.", "decoder")):
        for name, tensor in weights.items():
            if name.startswith(prefix):
                layer, _, rest = name.removeprefix(prefix).partition(".")
                part, _, kind = rest.rpartition(".")
                names = PARTS[part]
                for each, piece in zip(names, torch.chunk(tensor, len(names)), strict=True):
                    yield f"model.{half}.layers.{layer}.{each}.{kind}", piece.contiguous()
