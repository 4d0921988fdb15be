"""What becomes of examples that cannot be used? An error, or a record and a budget."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import IO, Any, final

from seqloom.errors import DataError

Refuse = Callable[[DataError], None]
"""Is told what is wrong with an example; where it returns, the example is left out."""

SHOWN = 3
"""Bad examples whose errors are kept."""


def refuse(error: DataError) -> None:
    """Takes no bad example at all."""
    raise error


def ignore(error: DataError) -> None:
    """Takes every bad example; somebody else counts them."""


@final
class Skips:
    """Counts and records the examples that are left out.

    Args:
        record: Gets a JSON object a line: file, line, reason; None for no record.

    Attributes:
        count: How many there are.
        first: What is wrong with the first of them.
    """

    def __init__(self, record: IO[bytes] | None = None) -> None:
        self.count = 0
        self.first: list[str] = []
        self._record = record

    def __call__(self, error: DataError) -> None:
        self.count += 1
        if self.count <= SHOWN:
            self.first.append(str(error))
        if self._record is not None:
            self._record.write(json.dumps(_entry(error), ensure_ascii=False).encode() + b"\n")

    def check(self, used: int, share: float) -> None:
        """Compares with the budget.

        Args:
            used: How many examples could be used.
            share: The share of all examples that need not.

        Raises:
            DataError: More than that were left out.
        """
        if self.count > share * (self.count + used):
            listed = "\n  ".join(self.first)
            raise DataError(
                f"{self.count} of {self.count + used} training examples cannot be used, more than "
                f"data.bad_examples ({share:g}) allows. The first are:\n  {listed}"
            )


def _entry(error: DataError) -> dict[str, Any]:
    reason = str(error).removeprefix(f"{error.file}:{error.line}: ")
    return {"file": str(error.file), "line": error.line, "reason": reason}
