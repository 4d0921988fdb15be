"""Text lines of our own: made-up words, set in Pillow's own font, as if scanned carelessly."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

ONSETS = ("b", "br", "ch", "d", "f", "g", "h", "k", "l", "m", "n", "p",
          "qu", "r", "s", "st", "t", "v", "w", "z")  # fmt: skip
VOWELS = ("a", "e", "i", "o", "u", "ai", "ea", "oo", "y")
CODAS = ("", "", "", "ck", "l", "m", "n", "nd", "r", "s", "x", "tt")
MARGIN = 6  # pixels at most beside a text


def line_of_text(random: np.random.Generator) -> str:
    """Two to four words or numbers that nobody has seen before, and how such a line may end."""
    words = [_word(random) for _ in range(random.integers(2, 5))]
    return " ".join(words) + str(random.choice(["", "", ".", ",", "?", "!"]))


def _word(random: np.random.Generator) -> str:
    if random.random() < 0.15:
        return str(random.integers(10, 2000))
    syllables = (
        "".join(str(random.choice(parts)) for parts in (ONSETS, VOWELS, CODAS))
        for _ in range(random.integers(1, 3))
    )
    word = "".join(syllables)
    return word.capitalize() if random.random() < 0.3 else word


def drawn(text: str, random: np.random.Generator) -> Image.Image:
    """A picture of a text: of another size, slant, darkness and sharpness each time."""
    font = ImageFont.load_default(size=float(random.uniform(20, 28)))
    left, top, right, bottom = font.getbbox(text)
    beside = random.integers(1, MARGIN, size=4)
    size = (int(right - left + beside[:2].sum()), int(bottom - top + beside[2:].sum()))
    paper, ink = int(random.integers(190, 256)), int(random.integers(0, 90))
    picture = Image.new("L", size, paper)
    ImageDraw.Draw(picture).text((beside[0] - left, beside[2] - top), text, fill=ink, font=font)
    turned = picture.rotate(
        float(random.uniform(-1, 1)), resample=Image.Resampling.BILINEAR, expand=True, fillcolor=paper
    )
    soft = turned.filter(ImageFilter.GaussianBlur(float(random.uniform(0, 1.0))))
    noise = random.normal(0, random.uniform(0, 14), size=soft.size[::-1])
    return Image.fromarray((np.asarray(soft) + noise).clip(0, 255).astype(np.uint8))
