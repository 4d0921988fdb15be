"""What a reply is: its text; and a conversation in which each depends on those before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, final

from seqloom.config import DecodeConfig
from seqloom.errors import DataError
from seqloom.hooks import Options
from seqloom.modality import Modality
from seqloom.task import Prediction, Session, TextTask
from seqloom_dialogue.turns import SYSTEM, Turn, read_turns, write_turns

SLOT: Final = "history"


@final
class Dialogue(TextTask):
    """The turns of a conversation to the system's next one."""

    def session(self) -> Session:
        return Conversation(self)

    def configure(self, flags: Options, decode: DecodeConfig) -> DecodeConfig:  # noqa: ARG002
        return decode

    def deliver(
        self,
        predictions: Sequence[Prediction],  # noqa: ARG002
        flags: Options,  # noqa: ARG002
        modalities: Mapping[str, Modality],  # noqa: ARG002
    ) -> list[str]:
        return []


@final
class Conversation(Session):
    """A conversation that goes on: a line is the user's turn, what is found is the system's.

    A line that has marks of its own is the turns that these make.

    Args:
        task: Makes texts of what is found.
    """

    def __init__(self, task: Dialogue) -> None:
        self._task = task
        self._turns: list[Turn] = []

    def ask(self, line: str) -> dict[str, str]:
        said = read_turns(line)
        if not said:
            raise DataError("nothing is said here; say something")
        return {SLOT: write_turns([*self._turns, *said])}

    def hear(self, prediction: Prediction) -> None:
        reply = f"<{SYSTEM}> {self._task.text(prediction.hypotheses[0])}"
        self._turns = [*read_turns(prediction.example.inputs[SLOT]), *read_turns(reply)]

    def reset(self) -> None:
        self._turns = []
