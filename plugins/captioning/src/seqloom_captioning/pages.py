"""What ``--attention`` and ``--sheet`` write: pictures with captions, to be looked at."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image

from seqloom.errors import UsageError
from seqloom.modality import Modality
from seqloom.task import Prediction
from seqloom.tokenizer import Tokenizer
from seqloom_captioning.canvas import Panel, sheet, square
from seqloom_captioning.seen import lit, looks, seen

PANEL: Final = 150  # pixels of a side
THUMBNAIL: Final = 200
A_SHEET: Final = 48  # pictures of a contact sheet: more do not fit on a screen
A_ROW: Final = 8

PAGE: Final = """\
<!doctype html>
<html>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 16px/1.4 system-ui, sans-serif; margin: 2em; color: #1c1c1c; background: #fff; }}
main {{ display: grid; grid-template-columns: repeat(auto-fill, minmax({side}px, 1fr)); gap: 1.5em; }}
figure {{ margin: 0; }}
img {{ width: 100%; border-radius: 4px; }}
p {{ margin: 0.3em 0; }}
small {{ color: #777; overflow-wrap: anywhere; }}
</style>
<h1>{title}</h1>
<main>
{figures}
</main>
</html>
"""


def write_attention(
    folder: Path,
    predictions: Sequence[Prediction],
    tokenizer: Tokenizer,
    modalities: Mapping[str, Modality],
) -> Iterator[Path]:
    """Writes a picture for each input: what the model saw, and what it looked at for each word.

    Raises:
        UsageError: The model has no attention over pictures.
    """
    for prediction in predictions:
        best = prediction.hypotheses[0]
        if best.attention is None:
            raise UsageError("this model's decoder has no attention to draw")
        picture, grid = seen(prediction.example.inputs, modalities)
        panels = [Panel(picture, tokenizer.decode(best.tokens))]
        panels += [
            Panel(lit(picture, weights, grid), word)
            for word, weights in looks(best, best.attention, tokenizer)
        ]
        file = folder / f"{_name(prediction)}.png"
        sheet(panels, max(4, square(len(panels))), PANEL).save(file)
        yield file


def write_sheet(
    folder: Path,
    predictions: Sequence[Prediction],
    tokenizer: Tokenizer,
    modalities: Mapping[str, Modality],
) -> Iterator[Path]:
    """Writes ``index.html``, whole by itself, and contact sheets of the same pictures and captions."""
    panels, figures = [], []
    for prediction in predictions:
        picture = seen(prediction.example.inputs, modalities).picture
        best = prediction.hypotheses[0]
        score = f"{best.score:.2f}"
        panels.append(Panel(picture, tokenizer.decode(best.tokens), score))
        figures.append(_figure(picture, prediction, tokenizer))
    page = PAGE.format(title=f"{len(figures)} pictures", side=THUMBNAIL, figures="\n".join(figures))
    index = folder / "index.html"
    index.write_text(page, encoding="utf-8")
    yield index
    for number, start in enumerate(range(0, len(panels), A_SHEET), 1):
        file = folder / f"sheet-{number}.png"
        sheet(panels[start : start + A_SHEET], A_ROW, THUMBNAIL).save(file)
        yield file


def _figure(picture: Image.Image, prediction: Prediction, tokenizer: Tokenizer) -> str:
    texts = [(tokenizer.decode(one.tokens), one.score) for one in prediction.hypotheses]
    captions = "".join(f"<p>{escape(text)} <small>{score:.2f}</small></p>" for text, score in texts)
    alternative = escape(texts[0][0], quote=True)
    image = f'<img src="data:image/jpeg;base64,{_jpeg(picture)}" alt="{alternative}">'
    names = ", ".join(escape(name) for name in prediction.example.inputs.values())
    return f"<figure>{image}<figcaption>{captions}<small>{names}</small></figcaption></figure>"


def _jpeg(picture: Image.Image) -> str:
    content = BytesIO()
    picture.save(content, "JPEG", quality=85)
    return base64.b64encode(content.getvalue()).decode()


def _name(prediction: Prediction) -> str:
    """The input's number and its file's name, which several may share."""
    stem = Path(next(iter(prediction.example.inputs.values()))).stem
    return f"{prediction.example.id + 1:04d}-{stem}"
