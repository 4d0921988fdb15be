"""Which part of a recording does an input name?"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from seqloom.errors import DataError

SECONDS: Final = r"\d+(?:\.\d+)?"
FRAGMENT: Final = re.compile(rf"#t=(?:({SECONDS})?,({SECONDS})|({SECONDS}),?)$", re.ASCII)
"""Media Fragments URI 1.0 (W3C 2012), section 4.2.1, in seconds: ``#t=10,20``, ``#t=10``, ``#t=,20``."""


class Segment(NamedTuple):
    """A part of a recording.

    Attributes:
        file: The path of the recording.
        start_s: Where the part begins, in seconds.
        end_s: Where it ends; None for the recording's end.
    """

    file: str
    start_s: float = 0.0
    end_s: float | None = None


def segment_of(raw: str) -> Segment:
    """``talk.flac#t=12.5,17.25`` to its parts; what does not end so is the path of a whole recording.

    Raises:
        DataError: It ends before it begins.
    """
    found = FRAGMENT.search(raw)
    if found is None:
        return Segment(raw)
    start, end = found[1] or found[3], found[2]
    segment = Segment(raw[: found.start()], float(start or 0), float(end) if end else None)
    if segment.end_s is not None and segment.end_s <= segment.start_s:
        raise DataError(f"a segment from {segment.start_s:g} s to {segment.end_s:g} s holds no sound", raw)
    return segment
