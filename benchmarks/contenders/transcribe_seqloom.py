"""Seqloom as a contender that recognises speech: convolutions, a Transformer, our own searches."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import torch
from sounds import HEADS, arguments, time_recognition
from torch import Tensor

from seqloom.allocator import tuned
from seqloom.batch import Padded
from seqloom.build import Builder
from seqloom.catalog import Catalog
from seqloom.device import choose_device
from seqloom.jobfile import Job, load_job
from seqloom.model import Seq2Seq
from seqloom.task import Example

SPECIAL = 4  # ids that are no words
NEVER = -1e9


def load(given: argparse.Namespace) -> Job:
    """A job of that shape."""
    shape = {"heads": HEADS, "feed_forward": 4 * given.width}
    nothing = {"file": "none.jsonl", "columns": {"speech": "speech", "target": "target"}}
    told = {
        "task": "speech",
        "preset": "transformer",
        "data": {"train": nothing, "valid": nothing},
        "tokenizers": {"target": {"name": "word"}},
        "model": {
            "width": given.width,
            "encoder": {"layers": given.encoder_layers, **shape},
            "decoder": {"layers": given.decoder_layers, **shape},
            "head": {"ctc": given.ctc},
        },
        "decode": {"beam": given.beam, "max_length_factor": 0, "max_length_offset": given.tokens},
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "job.yaml"
        file.write_text(json.dumps(told))
        return load_job(file, Catalog.from_environment())


def made(job: Job, given: argparse.Namespace) -> Seq2Seq:
    """A model that never ends an output."""
    builder = Builder(job.config, Catalog.from_environment())
    words = " ".join(f"w{number}" for number in range(given.vocabulary - SPECIAL))
    kit = builder.kit(builder.fit_tokenizers([Example(0, {"speech": ""}, words, [words])]))
    model = builder.model(kit).eval()
    vocabulary = kit.tokenizers["target"].vocabulary
    assert vocabulary.size == given.vocabulary
    with torch.no_grad():
        model.get_parameter("head.decoder.output.bias")[vocabulary.eos] = NEVER
    return model


def main() -> None:
    """Recognises utterances, and prints how fast."""
    given = arguments()
    torch.set_num_threads(given.threads)
    tuned(choose_device("cpu", "fp32"), given.allocator)
    torch.manual_seed(1)
    job = load(given)
    model = made(job, given)

    @torch.inference_mode()
    def recognize(features: Tensor, lengths: Tensor) -> list[int]:
        found = model.head.predict(model.encode({"speech": Padded(features, lengths)}), job.config.decode)
        return [len(hypotheses[0].tokens) + 1 for hypotheses in found]  # the last step gives EOS alone

    time_recognition(recognize, given, sum(each.numel() for each in model.parameters()))


if __name__ == "__main__":
    main()
