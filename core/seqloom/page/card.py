"""A model's card, Markdown from its folder, as HTML that can do nothing."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from markupsafe import Markup

from seqloom.page.place import within

LONGEST_BYTES: Final = 1 << 18
CARD: Final = "README.md"


def read_card(folder: Path) -> Markup | None:
    """The card of a model's folder; None where there is none.

    HTML in it is shown as text, pictures as links (the page loads nothing from elsewhere), and links lead
    to the web or nowhere.
    """
    file = within(folder, CARD)
    if file is None or file.stat().st_size > LONGEST_BYTES:
        return None
    text = file.read_text(encoding="utf-8", errors="replace")
    return Markup(_markdown().render(_without_front_matter(text)))  # noqa: S704 - HTML in the text is escaped


@cache
def _markdown() -> MarkdownIt:
    return _Markdown("commonmark", {"html": False}).enable("table").disable("image")


class _Markdown(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802 - its name for it
        return url.lower().startswith(("https://", "http://", "#"))


def _without_front_matter(text: str) -> str:
    """Without the fields for catalogs of models that may stand above a card."""
    if not text.startswith("---\n"):
        return text
    _, _, rest = text[4:].partition("\n---\n")
    return rest or text
