"""What recognising speech is: what is said, and when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, final

from seqloom.batch import Hypothesis
from seqloom.config import DecodeConfig
from seqloom.errors import ConfigError
from seqloom.hooks import Options
from seqloom.modality import Modality
from seqloom.storage import storage_errors
from seqloom.task import Example, Prediction, TextTask
from seqloom.tokenizer import Tokenizer
from seqloom_audio.modality import AudioModality
from seqloom_audio.recording import Channel
from seqloom_audio.segments import segment_of
from seqloom_speech.edges import sounding
from seqloom_speech.formats import WRITERS
from seqloom_speech.joining import joined
from seqloom_speech.normalization import RULES
from seqloom_speech.splitting import USUAL, Pieces, split
from seqloom_speech.words import moved


@final
class Speech(TextTask):
    """A recording to what is said in it.

    Where decoding carries emissions, hypotheses come to know their words, as ``details["words"]``: a tuple
    of :class:`seqloom_speech.words.Word`.

    Args:
        tokenizer: Of the target.
        normalization: The name of a rule, one of :data:`RULES`, or ``none``.
        cut_into: What pieces of long recordings are like, unless flags say otherwise.
    """

    def __init__(self, tokenizer: Tokenizer, normalization: str = "none", cut_into: Pieces = USUAL) -> None:
        super().__init__(tokenizer)
        self.normalization = "" if normalization == "none" else normalization
        self.cut_into = cut_into

    def normalize(self, text: str) -> str:
        return RULES[self.normalization](text) if self.normalization else text

    def pieces(
        self, raw: dict[str, str], flags: Options, modalities: Mapping[str, Modality]
    ) -> Sequence[dict[str, str]]:
        modality = modalities.get("speech")
        if not isinstance(modality, AudioModality):
            return [raw]  # nobody knows how to cut what is no sound
        source, said = modality.source, flags.model_dump()
        wanted = Pieces(
            longest_s=min(said["piece_s"] or self.cut_into.longest_s, source.longest_s),
            pause_s=said["pause_s"] or self.cut_into.pause_s,
        )
        return [{"speech": piece} for piece in split(raw["speech"], source.channel, wanted)]

    def interpret(self, hypotheses: list[Hypothesis]) -> list[Hypothesis]:
        return [self._timed(hypothesis) for hypothesis in hypotheses]

    def join(
        self,
        pieces: Sequence[dict[str, str]],
        results: Sequence[list[Hypothesis]],
        modalities: Mapping[str, Modality],
    ) -> list[Hypothesis]:
        raw = [piece["speech"] for piece in pieces]
        modality, segments = modalities.get("speech"), list(map(segment_of, raw))
        if isinstance(modality, AudioModality):
            channel = modality.source.channel
            results = [
                [_sounding(hypothesis, piece, channel) for hypothesis in found]
                for piece, found in zip(raw, results, strict=True)
            ]
        if len(segments) > 1:
            return [joined(segments, [best for best, *_ in results], self.tokenizer)]
        return [_moved(hypothesis, segments[0].start_s) for hypothesis in results[0]]

    def render(self, hypothesis: Hypothesis, example: Example) -> dict[str, Any]:
        record = super().render(hypothesis, example)
        if "words" in hypothesis.details:
            record["words"] = [
                {
                    "text": word.text,
                    "start_s": round(word.start_s, 3),
                    "end_s": round(word.end_s, 3),
                    "confidence": round(word.confidence, 4),
                }
                for word in hypothesis.details["words"]
            ]
        return record

    def write(self, form: str, predictions: Iterable[Prediction]) -> Iterator[str]:
        return WRITERS[form](predictions)

    def configure(self, flags: Options, decode: DecodeConfig) -> DecodeConfig:
        given = flags.model_dump()
        wanted = given["times"] or given["alignment"] is not None
        return decode.model_copy(update={"emissions": True}) if wanted else decode

    def deliver(
        self, predictions: Sequence[Prediction], flags: Options, modalities: Mapping[str, Modality]
    ) -> list[str]:
        wanted = flags.model_dump()["alignment"]
        if wanted is None:
            return []
        from seqloom_speech.pictures import write_alignments  # noqa: PLC0415 - slow to import

        folder = Path(wanted)
        with storage_errors(folder, "write"):
            folder.mkdir(parents=True, exist_ok=True)
            return list(map(str, write_alignments(folder, predictions, modalities)))

    def _timed(self, hypothesis: Hypothesis) -> Hypothesis:
        """The hypothesis with its words in place of emissions, which take much room."""
        emissions = hypothesis.emissions
        if emissions is None:
            return hypothesis
        if emissions.edges_s is None:
            raise ConfigError(
                "times of words need inputs that take time, and those of this model do not: "
                "leave decode.emissions and --times out"
            )
        from seqloom_speech.alignment import timed_words  # noqa: PLC0415 - torchaudio, for times alone

        words = timed_words(hypothesis.tokens, self.tokenizer, emissions.log_probs, emissions.edges_s)
        return replace(hypothesis, emissions=None, details={**hypothesis.details, "words": words})


def _sounding(hypothesis: Hypothesis, raw: str, channel: Channel) -> Hypothesis:
    """The hypothesis of a recording, or a segment of one, with times of words as they sound there."""
    if "words" not in hypothesis.details:
        return hypothesis
    words = sounding(moved(hypothesis.details["words"], 0.0), raw, channel)
    return replace(hypothesis, details={**hypothesis.details, "words": words})


def _moved(hypothesis: Hypothesis, by_s: float) -> Hypothesis:
    """The hypothesis of a part of a recording, with the times of the whole."""
    if "words" not in hypothesis.details:
        return hypothesis
    words = moved(hypothesis.details["words"], by_s)
    return replace(hypothesis, details={**hypothesis.details, "words": words})
