"""What a task plugin implements: raw target to tokens, hypotheses to what a user wants."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from seqloom.batch import Hypothesis
from seqloom.config import DecodeConfig
from seqloom.errors import DataError
from seqloom.hooks import Options
from seqloom.modality import Modality
from seqloom.tokenizer import Tokenizer


class Example(NamedTuple):
    """One line of a data set as its files have it.

    Attributes:
        id: Its position in the data set, from 0.
        inputs: For each input slot, the raw text or path.
        target: The raw target, None where only inputs are known.
        references: Every text that a metric may compare with; the target where nothing else is given.
        tags: What kind of example it is, as ``{"speaker": "fcaw"}``; nothing that a model sees.
    """

    id: int
    inputs: dict[str, str]
    target: str | None
    references: list[str]
    tags: Mapping[str, str] = {}


class Prediction(NamedTuple):
    """What became of one input.

    Attributes:
        example: The input.
        hypotheses: Best first, at least one.
    """

    example: Example
    hypotheses: list[Hypothesis]


class Baseline(ABC):
    """Answers that take no model: what a model has to beat.

    It is told every training example, one after another in their order, and then asked.
    """

    def learn(self, example: Example) -> None:  # noqa: B027 - many learn nothing
        """Is told a training example. To override where answers depend on those."""

    @abstractmethod
    def answer(self, example: Example) -> str:
        """The text for an example that comes without its target and references.

        Raises:
            DataError: The example lacks what the answer depends on.
        """


class Session(ABC):
    """Inputs that are given one after another, where the next may depend on what was found before."""

    @abstractmethod
    def ask(self, line: str) -> dict[str, str]:
        """What each input slot holds where a line is given next; that alone changes nothing.

        Args:
            line: As a person types it, without blanks around it; perhaps empty.

        Raises:
            DataError: The line cannot be used.
        """

    @abstractmethod
    def hear(self, prediction: Prediction) -> None:
        """Is told what was found in what was asked last; both are part of the session from here on."""

    @abstractmethod
    def reset(self) -> None:
        """Forgets all that was given and found."""


class Task(ABC):
    """One kind of job: what its target is, and what its users get to see.

    Attributes:
        normalization: What signatures of scores call :meth:`normalize`, as ``basic-1``: a rule that changes
            needs a new name. Empty where there is none.
    """

    normalization: str = ""

    def normalize(self, text: str) -> str:
        """A raw target in the form in which tokenizers learn from it and metrics compare it.

        To override where texts of one sense are written in several ways. What a model says is brought to
        that form, too, before it is scored. A text in that form already stays as it is. It may be asked for
        before the tokenizer that the task was built with has learned anything.
        """
        return text

    @abstractmethod
    def read_target(self, raw: str) -> Tensor:
        """A raw target, normalised, as the head learns it; for tokens [U] int64 with EOS last.

        Raises:
            DataError: The target cannot be used; the caller adds its file and line.
        """

    @abstractmethod
    def text(self, hypothesis: Hypothesis) -> str:
        """A hypothesis as the text that metrics compare and a terminal shows."""

    @abstractmethod
    def pieces(
        self, raw: dict[str, str], flags: Options, modalities: Mapping[str, Modality]
    ) -> Sequence[dict[str, str]]:
        """Cuts an input too long for one go (a book, a recording) into inputs; itself alone otherwise.

        Args:
            raw: What each input slot holds.
            flags: The verb's own; the same input with the same flags is always cut alike.
            modalities: Of each input slot.

        Raises:
            DataError: The input cannot be used.
        """

    @abstractmethod
    def interpret(self, hypotheses: list[Hypothesis]) -> list[Hypothesis]:
        """What was found in one piece as it is kept until all are joined, best first.

        What takes much room (``Hypothesis.emissions``) is made use of here and let go.
        """

    @abstractmethod
    def join(
        self,
        pieces: Sequence[dict[str, str]],
        results: Sequence[list[Hypothesis]],
        modalities: Mapping[str, Modality],
    ) -> list[Hypothesis]:
        """Puts the hypotheses of an input's pieces together again, best first; called once an input.

        Args:
            pieces: What :meth:`pieces` made of the input.
            results: What was found in each, as :meth:`interpret` gave it back.
            modalities: Of each input slot.
        """

    @abstractmethod
    def render(self, hypothesis: Hypothesis, example: Example) -> dict[str, Any]:
        """A hypothesis as a JSON-able record: at least ``text`` and ``score``."""

    def write(self, form: str, predictions: Iterable[Prediction]) -> Iterator[str]:
        """Outputs in a format of the task's own, bit by bit, as predictions come.

        To override where the task's spec names formats.

        Args:
            form: The format's name.
            predictions: What became of inputs, in their order.
        """
        raise NotImplementedError(f"{type(self).__name__} has no format {form!r}")

    def baseline(self, name: str) -> Baseline:
        """A new baseline of the task's own, which has been told nothing yet.

        To override where the task's spec names baselines.

        Args:
            name: As the spec has it.
        """
        raise NotImplementedError(f"{type(self).__name__} has no baseline {name!r}")

    def session(self) -> Session | None:
        """A new session, for a verb that is given no inputs: it asks for a line at a time.

        To override where an input may depend on those before it, as in a conversation. None where each
        stands alone.
        """
        return None

    @abstractmethod
    def configure(self, flags: Options, decode: DecodeConfig) -> DecodeConfig:
        """The decoding that the verb's own flags ask for (attention weights, say)."""

    @abstractmethod
    def deliver(
        self, predictions: Sequence[Prediction], flags: Options, modalities: Mapping[str, Modality]
    ) -> list[str]:
        """Does what the verb's own flags ask for beyond text (draws a picture, say).

        Args:
            predictions: What became of all inputs.
            flags: The verb's own.
            modalities: Of each input slot: they know what the model saw of an input.

        Returns:
            The files it wrote, for the user to see.
        """


class TextTask(Task, ABC):
    """A task that writes text: its target is tokens with EOS last, and an input is one piece.

    Args:
        tokenizer: Of the target.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer

    def read_target(self, raw: str) -> Tensor:
        ids = self.tokenizer.encode(self.normalize(raw))
        if not ids:
            raise DataError("the target holds no token; give some text")
        return torch.from_numpy(np.array([*ids, self.tokenizer.vocabulary.eos]))

    def text(self, hypothesis: Hypothesis) -> str:
        return self.tokenizer.decode(hypothesis.tokens)

    def pieces(
        self,
        raw: dict[str, str],
        flags: Options,  # noqa: ARG002
        modalities: Mapping[str, Modality],  # noqa: ARG002
    ) -> Sequence[dict[str, str]]:
        return [raw]

    def interpret(self, hypotheses: list[Hypothesis]) -> list[Hypothesis]:
        return hypotheses

    def join(
        self,
        pieces: Sequence[dict[str, str]],  # noqa: ARG002
        results: Sequence[list[Hypothesis]],
        modalities: Mapping[str, Modality],  # noqa: ARG002
    ) -> list[Hypothesis]:
        return results[0]

    def render(self, hypothesis: Hypothesis, example: Example) -> dict[str, Any]:  # noqa: ARG002
        return {
            "text": self.text(hypothesis),
            "score": hypothesis.score,
            "tokens": [self.tokenizer.decode([token]) for token in hypothesis.tokens],
            "token_scores": list(hypothesis.token_scores),
        }
