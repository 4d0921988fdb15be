"""A session under way: lines in, predictions out, each in the light of those before."""

from __future__ import annotations

from typing import final

from seqloom.data.manifest import Located
from seqloom.stream import Decoding, decode_stream
from seqloom.task import Example, Prediction, Session


@final
class OpenSession:
    """A session of a task, and what decodes in it.

    Args:
        session: Makes inputs of lines.
        how: What decodes, and how.
    """

    def __init__(self, session: Session, how: Decoding) -> None:
        self._session = session
        self._how = how
        self._count = 0

    def next(self, line: str) -> Prediction:
        """What is found where a line is given next; the example's id counts from 0.

        Raises:
            DataError: The line cannot be used; the session is as it was before it.
        """
        asked = Located(Example(self._count, self._session.ask(line.strip()), None, []))
        (prediction,) = decode_stream([asked], self._how)
        self._session.hear(prediction)
        self._count += 1
        return prediction

    def reset(self) -> None:
        """Begins anew, as if nothing had been said; ids count on."""
        self._session.reset()
