"""How well is a long recording transcribed as a whole, and how near is each word's time to the truth?

Usage: python benchmarks/long_form.py MODEL FOLDER NAME [--ctc 0.7] [--beam 10] [--piece-s 20]
                                                           [--pause-s 0.5] [--within-ms 100]

FOLDER is what ``speech_data.py`` made. ``long/NAME.flac`` is transcribed as one recording and compared
with the transcript in ``long/NAME.tsv``: the word error rate. Where ``long/NAME.words.tsv`` tells when each
word is said, the words that were recognised are looked up there: how many of them begin, end, and both,
within so many milliseconds of the truth, and by how much they are off.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
from numpy.typing import NDArray
from speech_data import rows

import seqloom


def offsets_ms(
    aligned: jiwer.WordOutput, truth: list[dict[str, str]], words: list[Any]
) -> NDArray[np.float64]:
    """[N, 2]: how much later than in truth each recognised word begins and ends."""
    pairs = [
        (truth[chunk.ref_start_idx + place], words[chunk.hyp_start_idx + place])
        for chunk in aligned.alignments[0]
        if chunk.type == "equal"
        for place in range(chunk.ref_end_idx - chunk.ref_start_idx)
    ]
    told = [(word.start_s, word.end_s) for _, word in pairs]
    true = [(float(row["start_s"]), float(row["end_s"])) for row, _ in pairs]
    late_s: NDArray[np.float64] = np.array(told) - np.array(true)
    return 1000 * late_s


def main() -> None:
    """Transcribes, compares and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("model")
    parser.add_argument("folder", type=Path)
    parser.add_argument("name")
    parser.add_argument("--ctc", type=float)
    parser.add_argument("--beam", type=int)
    parser.add_argument("--piece-s", type=float)
    parser.add_argument("--pause-s", type=float)
    parser.add_argument("--within-ms", type=float, default=100)
    given = parser.parse_args()
    long = given.folder / "long"
    (row,) = rows(long / f"{given.name}.tsv")
    options = ("ctc", "beam", "piece_s", "pause_s")
    asked = {name: value for name in options if (value := getattr(given, name)) is not None}
    model = seqloom.load(given.model)
    begun = time.perf_counter()
    (found,) = model.decode_all([str(long / row["path"])], emissions=True, **asked)
    seconds = time.perf_counter() - begun
    words = list(found.hypotheses[0].details["words"])
    aligned = jiwer.process_words(row["transcript"], " ".join(word.text for word in words))
    kinds = f"{aligned.substitutions} other, {aligned.deletions} missing, {aligned.insertions} added"
    print(f"{given.name}: {float(row['seconds']):.0f} s of sound in {seconds:.0f} s")
    print(f"WER {100 * aligned.wer:.2f} ({kinds}; of {len(row['transcript'].split())} words)")
    file = long / f"{given.name}.words.tsv"
    if not file.exists():
        return
    off = offsets_ms(aligned, list(rows(file)), words)
    near = np.abs(off) <= given.within_ms
    print(f"of {len(off)} recognised words within {given.within_ms:g} ms:")
    for column, what in enumerate(("begin", "end")):
        low, middle, high = np.percentile(off[:, column], [5, 50, 95])
        share = 100 * near[:, column].mean()
        print(f"  {what}: {share:.2f} % (off by {low:+.0f} {middle:+.0f} {high:+.0f} ms: 5, 50, 95 %)")
    print(f"  both: {100 * near.all(1).mean():.2f} %")


if __name__ == "__main__":
    main()
