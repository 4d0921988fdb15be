"""What the core itself offers: the specs and options of its own parts, through everybody's hooks."""

from __future__ import annotations

from seqloom.builtin.attentions import seqloom_attentions
from seqloom.builtin.decoders import seqloom_decoders
from seqloom.builtin.encoders import seqloom_encoders
from seqloom.builtin.heads import seqloom_heads
from seqloom.builtin.metrics import seqloom_metrics
from seqloom.builtin.tokenizers import seqloom_tokenizers

__all__ = [
    "seqloom_attentions",
    "seqloom_decoders",
    "seqloom_encoders",
    "seqloom_heads",
    "seqloom_metrics",
    "seqloom_tokenizers",
]

seqloom_api = 1
