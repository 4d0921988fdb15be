"""A picture of what a translation looked at."""

from __future__ import annotations

import warnings
from pathlib import Path

from matplotlib.figure import Figure

from seqloom.errors import UsageError
from seqloom.task import Prediction
from seqloom.tokenizer import Tokenizer

END = "⏎"
INCHES_PER_TOKEN = 0.42


def draw_attention(file: Path, prediction: Prediction, tokenizer: Tokenizer) -> None:
    """Draws the best hypothesis' attention as a grid: a row an output token, a column an input token.

    Raises:
        UsageError: The model's decoder has no attention.
    """
    best = prediction.hypotheses[0]
    if best.attention is None:
        raise UsageError("this model's decoder has no attention to draw")
    source = prediction.example.inputs["source"]
    columns = [*_pieces(source, tokenizer, best.attention.shape[1] - 1), END]
    rows = [*(tokenizer.decode([token]).strip() for token in best.tokens), END]
    size = (2.2 + INCHES_PER_TOKEN * len(columns), 1.8 + INCHES_PER_TOKEN * len(rows))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(best.attention.numpy(), cmap="Blues", vmin=0, vmax=1, aspect="equal")
    axes.set_xticks(range(len(columns)), columns, rotation=60, ha="left", rotation_mode="anchor")
    axes.set_yticks(range(len(rows)), rows)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.set_xlabel("source", fontweight="bold")
    axes.set_ylabel("translation", fontweight="bold")
    axes.tick_params(length=0)
    axes.set_xticks([x - 0.5 for x in range(1, len(columns))], minor=True)
    axes.set_yticks([y - 0.5 for y in range(1, len(rows))], minor=True)
    axes.grid(which="minor", color="white", linewidth=1)
    axes.spines[:].set_visible(False)
    figure.colorbar(image, ax=axes, shrink=0.6, label="share of attention")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # it draws a box instead
        figure.savefig(file, dpi=150)


def _pieces(source: str, tokenizer: Tokenizer, expected: int) -> list[str]:
    """The source's tokens by the target's tokenizer where it is the same one, else by number."""
    pieces = [tokenizer.decode([token]).strip() for token in tokenizer.encode(source)]
    return pieces if len(pieces) == expected else [str(number + 1) for number in range(expected)]
