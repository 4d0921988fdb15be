"""Which words does a caption say? Lower case, punctuation dropped."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

SIGNATURE: Final = "tok:lower-case words"
"""How scores name this tokenisation."""

_WORD: Final = re.compile(r"\w+(?:['’-]\w+)*")


def words(text: str) -> list[str]:
    """The words of a text in lower case; apostrophes and hyphens within them stay, punctuation goes."""
    return _WORD.findall(unicodedata.normalize("NFC", text.lower()))
