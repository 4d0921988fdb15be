"""What ``--alignment`` writes: a spectrum over time, and below it what is said, where it is said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

from seqloom.errors import UsageError
from seqloom.modality import Modality
from seqloom.task import Prediction
from seqloom_audio.modality import AudioModality
from seqloom_audio.reading import opened_sound
from seqloom_audio.segments import segment_of
from seqloom_speech.formats import words_of
from seqloom_speech.staves import Stave, drawn
from seqloom_speech.words import Word

LONGEST_S: Final = 300.0
"""Of longer recordings the beginning is drawn: pictures are to be looked at."""
STAVE_S: Final = 8.0


def write_alignments(
    folder: Path, predictions: Sequence[Prediction], modalities: Mapping[str, Modality]
) -> Iterator[Path]:
    """Writes a picture for each input: its spectrum, with words and their tokens below.

    Raises:
        UsageError: The model's input is no sound.
    """
    modality = modalities["speech"]
    if not isinstance(modality, AudioModality):
        raise UsageError("this model's input is no sound of seqloom-audio, and nothing else can be drawn")
    for prediction in predictions:
        file = folder / f"{_name(prediction)}.png"
        drawn(list(staves(prediction, modality))).save(file)
        yield file


def staves(prediction: Prediction, modality: AudioModality) -> Iterator[Stave]:
    """A recording's spectrum and words in parts of some seconds, which are best drawn below each other."""
    raw = prediction.example.inputs["speech"]
    begin = segment_of(raw).start_s
    spectrum = modality.spectrum(modality.read(_beginning(raw))).numpy()
    end = begin + len(spectrum) / modality.rate
    words = [word for word in words_of(prediction) if word.start_s < end]
    for start_s, end_s in pairwise(breaks(words, begin, end)):
        first, after = (round((at - begin) * modality.rate) for at in (start_s, end_s))
        within = [word for word in words if start_s <= word.start_s < end_s]
        yield Stave(spectrum[first:after], start_s, end_s, within)


def _beginning(raw: str) -> str:
    """The recording, or as much of it as is drawn."""
    with opened_sound(raw) as recording:
        begin, end = recording.segment.start_s, recording.segment.end_s or recording.seconds
    if end is None or end - begin <= LONGEST_S:
        return raw
    return f"{recording.segment.file}#t={begin:f},{begin + LONGEST_S:f}"


def breaks(words: Sequence[Word], begin: float, end: float) -> list[float]:
    """Where parts of a recording begin and the last one ends, in seconds: in no word, if that can be."""
    found = [begin]
    while found[-1] + STAVE_S < end:
        at = found[-1] + STAVE_S
        parted = [word.start_s for word in words if word.start_s < at < word.end_s]
        found.append(parted[0] if parted and parted[0] > found[-1] else at)
    return [*found, end]


def _name(prediction: Prediction) -> str:
    """The input's number and its file's name, which several may share."""
    stem = Path(segment_of(prediction.example.inputs["speech"]).file).stem
    return f"{prediction.example.id + 1:04d}-{stem}"
