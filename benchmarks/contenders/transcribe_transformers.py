"""Hugging Face transformers as a contender: a Speech2Text model that recognises speech."""

from __future__ import annotations

import torch
from sounds import BINS, HEADS, arguments, time_recognition
from torch import Tensor
from transformers import Speech2TextConfig, Speech2TextForConditionalGeneration

PAD, BOS, EOS = 1, 0, 2


def main() -> None:
    """Recognises utterances, and prints how fast."""
    given = arguments()
    torch.set_num_threads(given.threads)
    torch.manual_seed(1)
    config = Speech2TextConfig(
        vocab_size=given.vocabulary,
        d_model=given.width,
        encoder_layers=given.encoder_layers,
        decoder_layers=given.decoder_layers,
        encoder_attention_heads=HEADS,
        decoder_attention_heads=HEADS,
        encoder_ffn_dim=4 * given.width,
        decoder_ffn_dim=4 * given.width,
        input_feat_per_channel=BINS,
        conv_channels=given.width,
        max_source_positions=3000,
        max_target_positions=given.tokens + 2,
        pad_token_id=PAD,
        bos_token_id=BOS,
        eos_token_id=EOS,
        decoder_start_token_id=EOS,
    )
    model = Speech2TextForConditionalGeneration(config).eval()

    @torch.inference_mode()
    def recognize(features: Tensor, lengths: Tensor) -> list[int]:
        real = torch.arange(features.shape[1]) < lengths[:, None]
        found = model.generate(
            input_features=features,
            attention_mask=real.long(),
            num_beams=given.beam,
            do_sample=False,
            min_new_tokens=given.tokens,
            max_new_tokens=given.tokens,
        )
        return [len(row) - 1 for row in found]

    time_recognition(recognize, given, sum(each.numel() for each in model.parameters()))


if __name__ == "__main__":
    main()
