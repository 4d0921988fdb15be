"""What a modality plugin implements: raw input to features, features to vectors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seqloom.batch import Padded
from seqloom.nn.embedding import TokenEmbedding


class Frontend(nn.Module, ABC):
    """Turns a modality's features into vectors for an encoder.

    Lengths follow by arithmetic, and padding never changes a result. Positions in two dimensions, where
    a modality has them, are the front end's own; positions in time are the encoder's.

    Attributes:
        has_fixed_part: Whether it begins with layers that never learn. A training whose inputs do not vary
            then computes these once for each input.
        is_given_fixed: Whether :meth:`forward` is given what :meth:`fixed_part` made, in place of
            features. A training says so to a front end that has such a part.
        learns_from_data: Whether a training is to call :meth:`fit`.
        stride: Features that one position of the output stands for, one position after another:
            S = ceil(T / stride). None where positions do not follow features so, as those of a grid.
    """

    has_fixed_part: bool = False
    is_given_fixed: bool = False
    learns_from_data: bool = False
    stride: int | None = 1

    @abstractmethod
    def forward(self, features: Padded) -> Padded:
        """Features [B, T, *F] to [B, S, D]."""

    def grid(self, length: int) -> tuple[int, int] | None:  # noqa: ARG002
        """Rows and columns that positions of the output are, row by row; None where they are no grid.

        Args:
            length: T of the input, as :meth:`forward` is given it.
        """
        return None

    def fixed_part(self, features: Padded) -> Padded:
        """The layers that never learn: features [B, T, *F] to whatever :meth:`forward` goes on with."""
        raise NotImplementedError(f"{type(self).__name__} has no fixed part")

    def load_pretrained(self) -> None:
        """Takes weights from elsewhere to begin with, where the modality's options name some.

        Called once, before the first step of a training. What it learns from there on is saved with the
        model, which never needs them again.

        Raises:
            ConfigError: They are not there, or do not fit.
        """
        return

    def fit(self, batches: Iterable[Padded]) -> None:
        """Takes from the training data what no gradient would tell: its mean and variance, say.

        Called once, before the first step of a training, after :meth:`load_pretrained`. What it finds is
        kept in buffers, which are saved with the weights.

        Args:
            batches: All inputs to learn from, unvaried, as :meth:`forward` is given them, some at a time;
                to be gone through once.
        """
        raise NotImplementedError(f"{type(self).__name__} learns nothing from data")


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A number that a modality can take of any input, for people who look at their data.

    Attributes:
        name: What it is, with its unit: ``seconds``, ``peak_dbfs``.
        adds_up: Whether its sum over inputs says something, as that of seconds does.
        least: Inputs with less are odd; None where none is.
        most: Inputs with more are odd; None where none is.
        odd: What is then wrong with them: ``nearly silent``.
    """

    name: str
    adds_up: bool = False
    least: float | None = None
    most: float | None = None
    odd: str = ""


class Modality(ABC):
    """One kind of input. It pickles: data workers get a copy.

    Attributes:
        varies: Whether :meth:`augment`, or a generator given to :meth:`present`, may change anything.
        rate: Features a second, as :meth:`present` gives them; None for inputs that take no time.
        pools_by: The tag whose examples are presented in the light of all that have its value, as the
            utterances of a speaker are normalised together; None where each stands alone. The modality's
            spec says it, too.
        measures: What :meth:`measure` gives; ``seqloom data check`` sums it up.
    """

    varies: bool = True
    rate: float | None = None
    pools_by: str | None = None
    measures: Sequence[Measure] = ()

    @abstractmethod
    def read(self, raw: str) -> Tensor:
        """One input's features [T, *F], T at least 1.

        Several threads may call it at once, where inputs are files.

        Args:
            raw: What the data file says: a text; or where the modality's spec has ``files``, the path of a
                file that is there (absolute and within the data's root in training), to be read with
                :func:`seqloom.data.blobs.read_bytes`, as it may lie in a tar archive.

        Raises:
            DataError: The input cannot be used; where it is a file, the message names it. The caller adds
                the data file and its line.
        """

    @abstractmethod
    def augment(self, features: Tensor, generator: torch.Generator) -> Tensor:
        """A variation of an example's features for training; return ``features`` for none.

        Args:
            features: [T, *F] from :meth:`read`; never to be changed in place. The variation may be of
                another T, and of another F where those of all inputs are alike.
            generator: Seeded by (seed, epoch, example): the only randomness to use, so that workers,
                batch size and restarts change nothing.
        """

    def sums(self, features: Tensor) -> Tensor:
        """[M] float64 of an input, to be added up over all whose examples have its value of a tag.

        Called for each input of a split, where the modality has :attr:`pools_by`.

        Args:
            features: [T, *F] from :meth:`read`.
        """
        raise NotImplementedError(f"{type(self).__name__} pools nothing")

    def present(
        self,
        features: Tensor,
        generator: torch.Generator | None,
        sums: Tensor | None = None,  # noqa: ARG002
    ) -> Tensor:
        """What goes into a batch of an example: its features, varied where there is a generator.

        To override where what is kept of an input is not what a front end is to get, as sound is kept as
        samples and seen as a spectrum. Data workers call it, for each example of each batch.

        Args:
            features: [T, *F] from :meth:`read`; never to be changed in place.
            generator: As :meth:`augment` is given it; None where nothing may vary, as in evaluation.
            sums: [M], those of all inputs that the example is to be seen in the light of, itself among
                them; None where the modality pools nothing, or where nobody knows of others: then the
                input is all of its group, as a recording is that is given to a model.
        """
        return features if generator is None else self.augment(features, generator)

    def measure(self, features: Tensor) -> Sequence[float]:  # noqa: ARG002
        """What people may want to know of an input: a finite number for each of :attr:`measures`.

        Args:
            features: [T, *F] from :meth:`read`.
        """
        return ()

    @abstractmethod
    def frontend(self, width: int, embedding: TokenEmbedding | None) -> Frontend:
        """The layers in front of an encoder.

        Args:
            width: D of what the front end returns.
            embedding: The table of this input's tokenizer, perhaps shared with the decoder; None for a
                modality whose spec takes no tokenizer.
        """
