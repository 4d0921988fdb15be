"""CTranslate2 as a contender: the weights of ``marian/``, converted before the stopwatch starts.

Our own conversion, as its loader of Marian's models starts from a zero embedding in place of BOS. One
worker has as many threads as the others have: several workers would share out the batches, which no
other contender does.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from ctranslate2.specs import TransformerSpec
from ctranslate2.specs.common_spec import Activation
from safetensors.numpy import load_file
from stopwatch import arguments, time_decoding


class Weights:
    """Fills a specification.

    Args:
        tensors: By Marian's names.
    """

    def __init__(self, tensors: dict[str, Any]) -> None:
        self.tensors = tensors

    def linear(self, spec: Any, place: str, *names: str) -> None:
        """One product of what Marian computes in as many as there are names."""
        for kind in ("weight", "bias"):
            setattr(spec, kind, np.concatenate([self.tensors[f"{place}.{name}.{kind}"] for name in names]))

    def norm(self, spec: Any, place: str) -> None:
        """A layer norm."""
        spec.gamma, spec.beta = (self.tensors[f"{place}.{kind}"] for kind in ("weight", "bias"))

    def layer(self, spec: Any, place: str) -> None:
        """A layer of either half."""
        self._attention(spec.self_attention, f"{place}.self_attn", ["q_proj", "k_proj", "v_proj"])
        if hasattr(spec, "attention"):
            self._attention(spec.attention, f"{place}.encoder_attn", ["q_proj"], ["k_proj", "v_proj"])
        self.linear(spec.ffn.linear_0, place, "fc1")
        self.linear(spec.ffn.linear_1, place, "fc2")
        self.norm(spec.ffn.layer_norm, f"{place}.final_layer_norm")

    def _attention(self, spec: Any, place: str, *projections: list[str]) -> None:
        for linear, names in zip(spec.linear, [*projections, ["out_proj"]], strict=True):
            self.linear(linear, place, *names)
        self.norm(spec.layer_norm, f"{place}_layer_norm")


def convert(folder: Path, told: dict[str, Any], target: Path) -> None:
    """Writes a model that ``ctranslate2.Translator`` reads; its tokens are our ids as words."""
    weights = Weights(load_file(folder / "marian" / "model.safetensors"))
    activation = {"relu": Activation.RELU, "gelu": Activation.GELU}[told["activation"]]
    spec = TransformerSpec.from_config(told["layers"], told["heads"], pre_norm=False, activation=activation)
    table = weights.tensors["model.shared.weight"]
    for half, name, embeddings in (
        (spec.encoder, "encoder", spec.encoder.embeddings[0]),
        (spec.decoder, "decoder", spec.decoder.embeddings),
    ):
        embeddings.weight = table
        half.position_encodings.encodings = weights.tensors[f"model.{name}.embed_positions.weight"]
        for number, layer in enumerate(half.layer):
            weights.layer(layer, f"model.{name}.layers.{number}")
    spec.decoder.projection.weight = table
    spec.decoder.projection.bias = weights.tensors["final_logits_bias"][0]
    spec.config.decoder_start_token = spec.config.bos_token = str(told["bos"])
    spec.config.eos_token, spec.config.unk_token = str(told["eos"]), str(told["unk"])
    words = [str(number) for number in range(told["vocabulary"])]
    spec.register_source_vocabulary(words)
    spec.register_target_vocabulary(words)
    spec.validate()
    spec.save(str(target))


def decode(given: argparse.Namespace, told: dict[str, Any], folder: str) -> None:
    """Its own search with our length penalty."""
    dtype = {"fp32": "float32", "bf16": "bfloat16"}[given.dtype]
    translator = ctranslate2.Translator(
        folder, compute_type=dtype, inter_threads=1, intra_threads=given.threads
    )

    def translate(sources: Sequence[list[int]]) -> list[list[int]]:
        results = translator.translate_batch(
            [list(map(str, source)) for source in sources],
            beam_size=given.beam,
            max_batch_size=given.batch,
            length_penalty=told["length_penalty"],
            max_decoding_length=told["limit"],
        )
        return [[int(word) for word in result.hypotheses[0]] for result in results]

    time_decoding(translate, given, told["eos"])


def main() -> None:
    """Decodes."""
    given = arguments()
    told = json.loads((given.folder / "about.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        convert(given.folder, told, Path(folder))
        decode(given, told, folder)


if __name__ == "__main__":
    main()
