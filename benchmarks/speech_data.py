"""Makes recordings whose every word's time is known, and long ones, of data sets of short ones.

Usage: SEQLOOM_DATA=~/data python benchmarks/speech_data.py FOLDER [--train 3000] [--valid 200] [--test 300]
                                                            [--seed 1]

SEQLOOM_DATA names a folder with ``fsdd``, ``an4`` and ``yesno``, each with its tables; FOLDER gets

- ``strings/``: takes of digits by one speaker, two to six in a row, 50 to 400 ms apart. Train and test are
  of the official takes for each; valid is of the last five of each digit and speaker in the official
  train, which train then lacks. ``<split>.tsv`` has path, speaker, seconds, transcript; for valid and test
  ``<split>.words.tsv`` has path, word, start_s, end_s.
- ``long/fsdd-test.flac``: the test strings as one recording, 0.3 to 1.5 s apart; ``fsdd-test.words.tsv``
  has word, start_s, end_s. ``fsdd-valid`` likewise.
- ``long/an4-test.flac``: AN4's test utterances as one recording in their order, likewise;
  ``an4-test.segments.tsv`` has speaker, transcript, start_s, end_s. ``an4-dev`` likewise.
  ``long/<name>.tsv`` has path, seconds, transcript.
- ``yesno/``: train is of words of its training utterances, cut where these are quietest, one to eight in a
  row. The last few utterances are valid instead, as they are; so is the official test.

Pauses are noise as loud as the quietest tenth of the sound before them; those of long recordings also have
its spectrum, as a room's noise goes on where nobody speaks. A word's time is that of the sound
in its take: from the first frame of 10 ms to the last that are at most 30 dB below the loudest one.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray

DIGITS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
VALID_TAKES: Final = range(45, 50)
FEWEST, MOST = 2, 6
BETWEEN_DIGITS_S: Final = (0.05, 0.4)
BETWEEN_UTTERANCES_S: Final = (0.3, 1.5)
FRAME_S: Final = 0.01
QUIET_DB: Final = 30.0
"""How far below the loudest frame of a take the frames are that hold no sound of its word."""

YESNO_VALID: Final = 5
"""Training utterances that are kept apart, to choose settings by."""
SPEECH_DB: Final = 18.0
"""How far below the loudest frame of an utterance its first and its last word still are."""
SMOOTH: Final = 7
"""Frames that levels are averaged over to find where a recording is quiet."""
EVENNESS: Final = 10.0
"""What a word twice as long as usual costs, in nepers of power of a cut."""

Samples = NDArray[np.float64]
Row = Sequence[object]


class Timed(NamedTuple):
    """A word, a speaker's turn or whatever else is said, with its time in seconds."""

    text: str
    start_s: float
    end_s: float


class Sound(NamedTuple):
    """A recording, and when each of its texts is said."""

    samples: Samples
    rate: int
    said: list[Timed]

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate

    @property
    def transcript(self) -> str:
        return " ".join(one.text for one in self.said)


def joined(
    sounds: Sequence[Sound],
    pauses_s: tuple[float, float],
    random: np.random.Generator,
    noise: Callable[[Sound, Samples], Samples],
) -> Sound:
    """Recordings one after another with pauses between, before and after them.

    Args:
        sounds: The recordings.
        pauses_s: Seconds of a pause, at least and at most.
        random: Where chance comes from.
        noise: Makes the noise beside a recording of white noise.
    """
    rate = sounds[0].rate

    def pause(beside: Sound) -> Samples:
        return noise(beside, random.normal(size=round(random.uniform(*pauses_s) * rate)))

    parts = [pause(sounds[0])]
    said = []
    for sound in sounds:
        begin_s = sum(map(len, parts)) / rate
        said += [Timed(text, begin_s + start, begin_s + end) for text, start, end in sound.said]
        parts += [sound.samples, pause(sound)]
    return Sound(np.concatenate(parts), rate, said)


def hiss(beside: Sound, white: Samples) -> Samples:
    """Noise as loud as a recording's quietest tenth."""
    levels = np.sort(_levels(beside))
    return white * np.sqrt(np.mean(levels[: max(1, len(levels) // 10)]))


def room(beside: Sound, white: Samples) -> Samples:
    """Noise as loud as a recording's quietest tenth, at each frequency."""
    size = round(FRAME_S * beside.rate)
    frames = beside.samples[: len(beside.samples) // size * size].reshape(-1, size)
    order = np.argsort((frames**2).mean(1))
    window = np.hanning(size)
    quiet = np.abs(np.fft.rfft(frames[order[: max(1, len(order) // 10)]] * window)) ** 2
    gains = np.sqrt(quiet.mean(0) / np.sum(window**2))
    spectrum = np.fft.rfft(white)
    places = np.linspace(0, len(gains) - 1, len(spectrum))
    noise: Samples = np.fft.irfft(spectrum * np.interp(places, np.arange(len(gains)), gains), len(white))
    return noise


def _levels(sound: Sound) -> Samples:
    """The mean power of each frame; the last one may be shorter."""
    size = round(FRAME_S * sound.rate)
    starts = np.arange(0, len(sound.samples), size)
    sizes = np.diff([*starts, len(sound.samples)])
    powers: Samples = np.add.reduceat(sound.samples**2, starts) / sizes
    return powers


def take(file: Path, word: str) -> Sound:
    """A recording of one word."""
    samples, rate = soundfile.read(file)
    levels = _levels(Sound(samples, rate, []))
    loud = np.flatnonzero(levels >= levels.max() * 10 ** (-QUIET_DB / 10))
    end_s = min((loud[-1] + 1) * FRAME_S, len(samples) / rate)
    return Sound(samples, rate, [Timed(word, float(loud[0] * FRAME_S), float(end_s))])


def utterance(file: Path, transcript: str) -> Sound:
    """A recording of whatever is said in it."""
    samples, rate = soundfile.read(file)
    return Sound(samples, rate, [Timed(transcript, 0.0, len(samples) / rate)])


# Digits ------------------------------------------------------------------------------------------------


def takes(root: Path) -> dict[str, dict[str, list[Sound]]]:
    """For each split, the takes of each speaker."""
    found: dict[str, dict[str, list[Sound]]] = {
        name: defaultdict(list) for name in ("train", "valid", "test")
    }
    for table in ("train", "test"):
        for row in rows(root / f"{table}.tsv"):
            number = int(Path(row["path"]).stem.rpartition("_")[2])
            split = "valid" if table == "train" and number in VALID_TAKES else table
            sound = take(root / row["path"], DIGITS[int(row["digit"])])
            found[split][row["speaker"]].append(sound)
    return found


def strings(
    speakers: dict[str, list[Sound]],
    count: int,
    random: np.random.Generator,
    sizes: tuple[int, int] = (FEWEST, MOST),
) -> Iterator[tuple[str, Sound]]:
    """So many strings of words, each with its speaker."""
    names = sorted(speakers)
    for _ in range(count):
        name = names[random.integers(len(names))]
        chosen = random.integers(len(speakers[name]), size=random.integers(sizes[0], sizes[1] + 1))
        yield name, joined([speakers[name][one] for one in chosen], BETWEEN_DIGITS_S, random, hiss)


def write_strings(folder: Path, root: Path, counts: dict[str, int], random: np.random.Generator) -> None:
    """Writes all splits, and all but the training as one recording each."""
    (folder / "strings" / "flac").mkdir(parents=True, exist_ok=True)
    known = takes(root)
    for split, count in counts.items():
        made = list(strings(known[split], count, random))
        paths = [f"flac/{split}-{number:05d}.flac" for number in range(1, count + 1)]
        for path, (_, sound) in zip(paths, made, strict=True):
            soundfile.write(folder / "strings" / path, sound.samples, sound.rate)
        table = [
            (path, speaker, f"{sound.seconds:.3f}", sound.transcript)
            for path, (speaker, sound) in zip(paths, made, strict=True)
        ]
        write_rows(folder / "strings" / f"{split}.tsv", ("path", "speaker", "seconds", "transcript"), table)
        if split == "train":
            continue
        words = [
            (path, *_row(one)) for path, (_, sound) in zip(paths, made, strict=True) for one in sound.said
        ]
        write_rows(folder / "strings" / f"{split}.words.tsv", ("path", "word", "start_s", "end_s"), words)
        long = joined([sound for _, sound in made], BETWEEN_UTTERANCES_S, random, room)
        write_long(folder / "long", f"fsdd-{split}", long)
        write_rows(
            folder / "long" / f"fsdd-{split}.words.tsv", ("word", "start_s", "end_s"), map(_row, long.said)
        )


# Yes and no --------------------------------------------------------------------------------------------


def cut(sound: Sound, words: Sequence[str]) -> list[Sound]:
    """A recording of words about as long as each other, cut where it is quietest between them."""
    levels = np.convolve(_levels(sound), np.ones(SMOOTH) / SMOOTH, "same")
    loud = np.flatnonzero(levels >= levels.max() * 10 ** (-SPEECH_DB / 10))
    begin, end = loud[0], loud[-1] + 1
    loudness = np.log(levels[begin:end] / levels.max() + 1e-3)  # no silence is worth two cuts
    usual = (end - begin) / len(words)
    places = np.arange(end - begin + 1)
    uneven = EVENNESS * ((places[:, None] - places) / usual - 1) ** 2  # [to, from], of a word
    uneven[places[:, None] <= places] = np.inf
    costs, before = uneven[:, 0], []
    for _ in words[1:]:
        at = costs + np.append(loudness, np.inf)  # to cut here, after the words so far
        sums = uneven + at
        before.append(sums.argmin(1))
        costs = sums.min(1)
    cuts = [places[-1]]
    for came_from in reversed(before):
        cuts.append(came_from[cuts[-1]])
    size = round(FRAME_S * sound.rate)
    edges = [size * int(begin + place) for place in (0, *reversed(cuts))]
    return [
        Sound(part := sound.samples[first:last], sound.rate, [Timed(word, 0.0, len(part) / sound.rate)])
        for word, (first, last) in zip(words, pairwise(edges), strict=True)
    ]


def write_yesno(folder: Path, root: Path, count: int, random: np.random.Generator) -> None:
    """Strings of most training utterances' words; the other utterances, and the test, as they are."""
    (folder / "flac").mkdir(parents=True, exist_ok=True)
    known = list(rows(root / "train.tsv"))
    words = [
        word
        for row in known[:-YESNO_VALID]
        for word in cut(utterance(root / row["path"], row["transcript"]), row["transcript"].split())
    ]
    table = []
    for number, (_, sound) in enumerate(strings({"": words}, count, random, (1, 8)), 1):
        path = f"flac/train-{number:05d}.flac"
        soundfile.write(folder / path, sound.samples, sound.rate)
        table.append((path, f"{sound.seconds:.3f}", sound.transcript))
    write_rows(folder / "train.tsv", ("path", "seconds", "transcript"), table)
    for split, whole in (("valid", known[-YESNO_VALID:]), ("test", list(rows(root / "test.tsv")))):
        for row in whole:
            shutil.copy(root / row["path"], folder / "flac")
        told = [(f"flac/{Path(row['path']).name}", row["seconds"], row["transcript"]) for row in whole]
        write_rows(folder / f"{split}.tsv", ("path", "seconds", "transcript"), told)


# Long recordings ---------------------------------------------------------------------------------------


def write_long(folder: Path, name: str, sound: Sound) -> None:
    """Writes a recording and a table of it alone."""
    folder.mkdir(parents=True, exist_ok=True)
    soundfile.write(folder / f"{name}.flac", sound.samples, sound.rate)
    row = (f"{name}.flac", f"{sound.seconds:.3f}", sound.transcript)
    write_rows(folder / f"{name}.tsv", ("path", "seconds", "transcript"), [row])


def write_an4(folder: Path, root: Path, split: str, random: np.random.Generator) -> None:
    """A set of AN4's as one recording."""
    table = list(rows(root / f"{split}.tsv"))
    sounds = [utterance(root / row["path"], row["transcript"]) for row in table]
    sound = joined(sounds, BETWEEN_UTTERANCES_S, random, room)
    write_long(folder, f"an4-{split}", sound)
    turns = [(row["speaker"], *_row(one)) for row, one in zip(table, sound.said, strict=True)]
    write_rows(folder / f"an4-{split}.segments.tsv", ("speaker", "transcript", "start_s", "end_s"), turns)


def rows(file: Path) -> Iterator[dict[str, str]]:
    """The rows of a table."""
    with file.open(encoding="utf-8", newline="") as table:
        yield from csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE)


def write_rows(file: Path, header: Row, table: Iterable[Row]) -> None:
    """Writes a table."""
    lines = ["\t".join(map(str, row)) + "\n" for row in (header, *table)]
    file.write_text("".join(lines), encoding="utf-8")


def _row(one: Timed) -> Row:
    return one.text, f"{one.start_s:.3f}", f"{one.end_s:.3f}"


def main() -> None:
    """Makes what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path)
    for name, value in (("train", 3000), ("valid", 200), ("test", 300)):
        parser.add_argument(f"--{name}", type=int, default=value, help="strings of digits")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    data = Path(os.environ["SEQLOOM_DATA"])
    random = np.random.default_rng(given.seed)
    counts = {name: getattr(given, name) for name in ("train", "valid", "test")}
    write_strings(given.folder, data / "fsdd", counts, random)
    for split in ("dev", "test"):
        write_an4(given.folder / "long", data / "an4", split, random)
    write_yesno(given.folder / "yesno", data / "yesno", given.train // 10, random)


if __name__ == "__main__":
    main()
