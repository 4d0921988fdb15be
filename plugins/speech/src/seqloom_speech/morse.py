"""Morse code: messages of our own, keyed by a hand that is never quite even, heard through noise.

Signs and their timing are those of recommendation ITU-R M.1677-1: a dash is as long as three dots, parts of
a sign are a dot apart, signs three, words seven. A dot lasts 1.2 s divided by the words a minute, where a
word is PARIS.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

RATE_HZ: Final = 4000

SIGNS: Final = {
    "A": ".-", "B": "-...", "C": "-.-.", "D": "-..", "E": ".", "F": "..-.", "G": "--.", "H": "....",
    "I": "..", "J": ".---", "K": "-.-", "L": ".-..", "M": "--", "N": "-.", "O": "---", "P": ".--.",
    "Q": "--.-", "R": ".-.", "S": "...", "T": "-", "U": "..-", "V": "...-", "W": ".--", "X": "-..-",
    "Y": "-.--", "Z": "--..", "0": "-----", "1": ".----", "2": "..---", "3": "...--", "4": "....-",
    "5": ".....", "6": "-....", "7": "--...", "8": "---..", "9": "----.",
}  # fmt: skip

PHRASES: Final = (
    "ANT", "CALL", "CLEAR", "COAST", "COPY", "CQ", "DE", "DX", "EAST", "FINE", "FOG", "FROM", "FULL",
    "HARBOUR", "HEAVY", "HELLO", "ICE", "IN", "IS", "KEEP", "LIGHT", "LOST", "MAST", "MAYDAY", "MOON",
    "MORE", "MY", "NAME", "NEED", "NO", "NORTH", "NOW", "OF", "OVER", "PSE", "QRM", "QRN", "QSL", "QSO",
    "QTH", "RADIO", "RAIN", "RIG", "RST", "SAIL", "SEA", "SEND", "SHIP", "SLOW", "SNOW", "SOS", "SOUTH",
    "STAR", "STORM", "SUN", "TEST", "TIDE", "TO", "WATER", "WAVE", "WEST", "WHALE", "WIND", "WITH", "WX",
    "YES", "YOUR",
)  # fmt: skip
ONSETS: Final = ("B", "BR", "C", "D", "F", "G", "H", "J", "K", "L", "M", "N", "P", "QU", "R", "S", "ST",
                 "T", "TR", "V", "W", "Z")  # fmt: skip
VOWELS: Final = ("A", "E", "I", "O", "U", "Y", "AI", "EA", "OO")
CODAS: Final = ("", "", "", "CK", "L", "M", "N", "R", "S", "X")


class Hand(NamedTuple):
    """How somebody keys.

    Attributes:
        dot_s: Seconds of a dot.
        dash: Dots of a dash.
        letter_gap: Dots between letters.
        word_gap: Dots between words.
        jitter: Standard deviation of each length's logarithm.
    """

    dot_s: float
    dash: float
    letter_gap: float
    word_gap: float
    jitter: float


def message(random: np.random.Generator) -> str:
    """One to three words, call signs or numbers."""
    return " ".join(_word(random) for _ in range(random.choice([1, 1, 2])))


def _word(random: np.random.Generator) -> str:
    kind = random.random()
    if kind < 0.35:
        return str(random.choice(PHRASES))
    if kind < 0.65:
        return "".join(
            str(random.choice(parts))
            for _ in range(random.choice([1, 1, 2]))
            for parts in (ONSETS, VOWELS, CODAS)
        )
    if kind < 0.85:
        return f"{_letters(random, 1, 2)}{random.integers(10)}{_letters(random, 2, 3)}"
    return str(random.integers(10, 10_000))


def _letters(random: np.random.Generator, fewest: int, most: int) -> str:
    return "".join(map(chr, random.integers(ord("A"), ord("Z") + 1, random.integers(fewest, most + 1))))


def sounded(text: str, random: np.random.Generator) -> NDArray[np.float64]:
    """A message as it is heard: of another hand, pitch, loudness and noise each time.

    Args:
        text: Letters A to Z, digits, and single spaces.
        random: Where chance comes from.

    Returns:
        Samples within ±1, :data:`RATE_HZ` of them a second.
    """
    keyed = _keyed(text, _hand(random), random)
    edge = np.hanning(
        round(random.uniform(0.004, 0.012) * RATE_HZ) + 2
    )  # how softly the tone begins and ends
    envelope = np.convolve(keyed, edge / edge.sum(), "same")
    time_s = np.arange(len(keyed)) / RATE_HZ
    drift = random.uniform(-8, 8)  # Hz a second
    pitch = random.uniform(500, 800) * time_s + drift / 2 * time_s**2
    fading = 1 - random.uniform(0, 0.5) * np.sin(np.pi * random.uniform(0.1, 0.5) * time_s) ** 2
    tone = envelope * fading * np.sin(2 * np.pi * pitch)
    noise = random.normal(size=len(tone)) * 10 ** (-random.uniform(6, 20) / 20)
    heard = tone + noise * np.sqrt(0.5)  # a tone's power is half the square of its amplitude
    louder: NDArray[np.float64] = heard / np.abs(heard).max() * random.uniform(0.1, 0.95)
    return louder


def _hand(random: np.random.Generator) -> Hand:
    return Hand(
        dot_s=1.2 / random.uniform(18, 30),
        dash=random.uniform(2.8, 3.4),
        letter_gap=random.uniform(2.8, 3.6),
        word_gap=random.uniform(6.5, 8.5),
        jitter=random.uniform(0.02, 0.06),
    )


def _keyed(text: str, hand: Hand, random: np.random.Generator) -> NDArray[np.float64]:
    """1 while the key is down, else 0."""
    lengths = [random.uniform(0.1, 0.4) / hand.dot_s]  # in dots, of silence and sound by turns
    for letter in text:
        if letter == " ":
            lengths[-1] = hand.word_gap
            continue
        for part in SIGNS[letter]:
            lengths += [hand.dash if part == "-" else 1.0, 1.0]
        lengths[-1] = hand.letter_gap
    uneven = np.array(lengths) * np.exp(random.normal(0, hand.jitter, len(lengths)))
    uneven[-1] = random.uniform(0.1, 0.4) / hand.dot_s
    samples = np.round(uneven * hand.dot_s * RATE_HZ).astype(int)
    return np.repeat(np.arange(len(samples)) % 2, samples).astype(float)
