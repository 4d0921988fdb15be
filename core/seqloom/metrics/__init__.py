"""Scores of hypotheses against references, each with a signature that says how it was computed."""

from seqloom.metrics.base import Metric, accuracy, perplexity
from seqloom.metrics.edits import Cer, Exact, Wer
from seqloom.metrics.overlap import Bleu, Chrf

__all__ = ["Bleu", "Cer", "Chrf", "Exact", "Metric", "Wer", "accuracy", "perplexity"]
