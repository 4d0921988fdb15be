"""What was found in the pieces of a long input, kept until its output is whole: who goes on needs it.

A file for each input, a line for each piece, named after all that the outcome depends on: another model,
another way to search or another content of the input begins a file of its own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, final

from seqloom.batch import Hypothesis
from seqloom.data.blobs import sha256_of
from seqloom.data.splits import Slot, fragment_of

Pieces = Sequence[dict[str, str]]


class Journal(Protocol):
    """Of one input."""

    def found(self) -> dict[int, list[Hypothesis]]:
        """What was found before, by the number of the piece."""

    def add(self, number: int, hypotheses: list[Hypothesis]) -> None:
        """Keeps what was found in a piece."""


Keep = Callable[[dict[str, str], Pieces], Journal]
"""Opens the journal of an input, given what it and its pieces are."""


@final
class Journals:
    """Those of all inputs that are decoded for one output.

    Args:
        folder: Where they are.
        slots: What each input slot takes.
        depends: All that outcomes depend on beside the inputs, JSON-able: the model, how it searches.
        say: Tells a person that nothing can be kept, once.
    """

    def __init__(
        self, folder: Path, slots: Mapping[str, Slot], depends: Any, say: Callable[[str], None]
    ) -> None:
        self._folder = folder
        self._slots = slots
        self._depends = depends
        self._say = say
        self._files: list[Path] = []

    def open(self, whole: dict[str, str], pieces: Pieces) -> FileJournal:
        """That of an input of several pieces."""
        named = [self._content(whole), [self._parts(whole, piece) for piece in pieces], self._depends]
        name = hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()
        self._files.append(self._folder / f"{name[:32]}.jsonl")
        return FileJournal(self._files[-1], self._trouble)

    def discard(self) -> None:
        """Removes them all: the output is whole."""
        with suppress(OSError):  # the folder may hold others
            for file in self._files:
                file.unlink(missing_ok=True)
            self._folder.rmdir()

    def _content(self, whole: dict[str, str]) -> dict[str, str]:
        """An input as long as its files are what they are, wherever they lie."""
        return {
            slot: sha256_of(text.removesuffix(fragment_of(text, kind))) + fragment_of(text, kind)
            if (kind := self._slots[slot]).files
            else text
            for slot, text in whole.items()
        }

    def _parts(self, whole: dict[str, str], piece: dict[str, str]) -> dict[str, str]:
        """What a piece is of the whole."""
        return {
            slot: text.removeprefix(whole[slot].removesuffix(fragment_of(whole[slot], self._slots[slot])))
            for slot, text in piece.items()
        }

    def _trouble(self, error: OSError) -> None:
        self._say(f"{self._folder}: {error.strerror}; what is interrupted now will begin anew")
        self._say = lambda _: None


@final
class FileJournal(Journal):
    """Lines of a file. Where that cannot be, nothing is kept, and decoding goes on.

    Args:
        file: May be there, and may end in the middle of a line.
        trouble: Is told of what the disk refuses.
    """

    def __init__(self, file: Path, trouble: Callable[[OSError], None]) -> None:
        self._file = file
        self._trouble = trouble

    def found(self) -> dict[int, list[Hypothesis]]:
        try:
            return self._whole_lines()
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._trouble(error)
            return {}

    def add(self, number: int, hypotheses: list[Hypothesis]) -> None:
        if any(one.attention is not None or one.emissions is not None for one in hypotheses):
            return  # they would take more room than they save time
        line = json.dumps([number, [_record(hypothesis) for hypothesis in hypotheses]], ensure_ascii=False)
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a", encoding="utf-8") as stream:
                stream.write(line + "\n")
        except OSError as error:
            self._trouble(error)

    def _whole_lines(self) -> dict[int, list[Hypothesis]]:
        """What the lines say up to the first that is damaged; the file ends there from now on."""
        found: dict[int, list[Hypothesis]] = {}
        with self._file.open("r+b") as stream:
            end = 0
            for line in stream:
                if not line.endswith(b"\n"):
                    break
                try:
                    number, records = json.loads(line)
                    found[int(number)] = [_hypothesis(record) for record in records]
                except (ValueError, TypeError, KeyError):
                    break
                end += len(line)
            stream.truncate(end)
        return found


def _record(hypothesis: Hypothesis) -> dict[str, Any]:
    return {
        "tokens": hypothesis.tokens,
        "score": hypothesis.score,
        "token_scores": hypothesis.token_scores,
        "details": dict(hypothesis.details),
    }


def _hypothesis(record: dict[str, Any]) -> Hypothesis:
    return Hypothesis(
        tokens=tuple(record["tokens"]),
        score=record["score"],
        token_scores=tuple(record["token_scores"]),
        details=record["details"],
    )
