"""Hugging Face transformers as a contender: a VisionEncoderDecoderModel that describes pictures."""

from __future__ import annotations

import torch
from pictures import HEADS, arguments, time_captions
from torch import Tensor
from transformers import (
    GPT2Config,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
    ViTConfig,
)

PAD, BOS, EOS = 0, 1, 2


def main() -> None:
    """Describes pictures, and prints how fast."""
    given = arguments()
    torch.set_num_threads(given.threads)
    torch.manual_seed(1)
    seeing = ViTConfig(
        image_size=given.size,
        patch_size=given.patch,
        hidden_size=given.width,
        num_hidden_layers=given.layers,
        num_attention_heads=HEADS,
        intermediate_size=4 * given.width,
    )
    writing = GPT2Config(
        vocab_size=given.vocabulary,
        n_positions=128,
        n_embd=given.width,
        n_layer=given.layers,
        n_head=HEADS,
        n_inner=4 * given.width,
    )
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(seeing, writing)
    config.decoder_start_token_id, config.pad_token_id = BOS, PAD
    model = VisionEncoderDecoderModel(config).eval()
    model.generation_config.eos_token_id = EOS
    model.generation_config.pad_token_id = PAD
    model.generation_config.decoder_start_token_id = BOS

    @torch.inference_mode()
    def describe(pictures: Tensor) -> list[int]:
        found = model.generate(
            pixel_values=pictures.float() / 127.5 - 1,
            num_beams=given.beam,
            do_sample=False,
            min_new_tokens=given.words,
            max_new_tokens=given.words,
        )
        return [len(row) - 1 for row in found]

    time_captions(describe, given, sum(each.numel() for each in model.parameters()))


if __name__ == "__main__":
    main()
