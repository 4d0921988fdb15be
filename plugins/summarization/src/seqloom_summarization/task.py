"""What summarization does beyond text: long documents by pieces, and the length that is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

from seqloom.batch import Hypothesis
from seqloom.config import DecodeConfig
from seqloom.errors import UsageError
from seqloom.hooks import Options
from seqloom.modality import Modality
from seqloom.task import Baseline, Example, Prediction, TextTask
from seqloom.tokenizer import Tokenizer
from seqloom_summarization.sentences import cut, lead
from seqloom_text.modality import TextModality


@final
class Lead(Baseline):
    """The first sentence of the text: what a summary has to beat."""

    def answer(self, example: Example) -> str:
        return lead(example.inputs["source"])


@final
class Summarization(TextTask):
    """A text to a shorter one.

    A document of several pieces has the summaries of these, one after another, as its own.

    Args:
        tokenizer: Of the target.
        piece: Tokens of a document that are summarized together at most; None never cuts.
    """

    def __init__(self, tokenizer: Tokenizer, piece: int | None = None) -> None:
        super().__init__(tokenizer)
        self.piece = piece

    def text(self, hypothesis: Hypothesis) -> str:
        pieces: Sequence[str] = hypothesis.details.get("pieces", ())
        return " ".join(filter(None, pieces)) if pieces else super().text(hypothesis)

    def pieces(
        self, raw: dict[str, str], flags: Options, modalities: Mapping[str, Modality]
    ) -> Sequence[dict[str, str]]:
        asked: int | None = flags.model_dump()["piece"]
        longest, reader = asked or self.piece, modalities.get("source")
        if longest is None:
            return [raw]
        if not isinstance(reader, TextModality):
            if asked is not None:
                raise UsageError("--piece cuts texts, and this model's input is none; leave it out")
            return [raw]
        longest = min(longest, reader.max_tokens or longest)
        tokens = reader.tokenizer.encode
        return [
            raw | {"source": text} for text in cut(raw["source"], longest, lambda one: len(tokens(one)))
        ]

    def join(
        self,
        pieces: Sequence[dict[str, str]],  # noqa: ARG002
        results: Sequence[list[Hypothesis]],
        modalities: Mapping[str, Modality],  # noqa: ARG002
    ) -> list[Hypothesis]:
        if len(results) == 1:
            return results[0]
        return [
            self._joined(several) for several in zip(*results, strict=False)
        ]  # as many as each piece has

    def _joined(self, several: Sequence[Hypothesis]) -> Hypothesis:
        """The summaries of a document's pieces as one, whose score is their mean."""
        return Hypothesis(
            tokens=tuple(token for one in several for token in one.tokens),
            score=sum(one.score for one in several) / len(several),
            token_scores=tuple(score for one in several for score in one.token_scores),
            details={"pieces": [self.text(one) for one in several]},
        )

    def render(self, hypothesis: Hypothesis, example: Example) -> dict[str, Any]:
        return super().render(hypothesis, example) | dict(hypothesis.details)

    def baseline(self, name: str) -> Baseline:
        return Lead() if name == "lead" else super().baseline(name)

    def configure(self, flags: Options, decode: DecodeConfig) -> DecodeConfig:
        given = flags.model_dump()
        least, most = given["min_length"], given["max_length"]
        if least is not None and most is not None and least > most:
            raise UsageError(f"--min-length {least} is more than --max-length {most}")
        asked: dict[str, Any] = {} if least is None else {"min_length": least}
        if most is not None:  # EOS is one of the search's tokens, and none of the user's
            asked |= {"max_length_factor": 0.0, "max_length_offset": most + 1}
        return decode.model_copy(update=asked)

    def deliver(
        self,
        predictions: Sequence[Prediction],  # noqa: ARG002
        flags: Options,  # noqa: ARG002
        modalities: Mapping[str, Modality],  # noqa: ARG002
    ) -> list[str]:
        return []
