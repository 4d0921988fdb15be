"""What is written of words with times, to the letter."""

from __future__ import annotations

import itertools
import json

import pytest
import torch
from torch.nn import functional

from seqloom.batch import Emissions, Hypothesis
from seqloom.config import DecodeConfig
from seqloom.errors import ConfigError
from seqloom.task import Example, Prediction
from seqloom.tokenizer import ByteTokenizer
from seqloom_speech import FORMATS, TranscribeFlags
from seqloom_speech.formats import WRITERS
from seqloom_speech.subtitles import CHARACTERS, LINES, LONGEST_S, cues
from seqloom_speech.task import Speech
from seqloom_speech.words import Word

TASK = Speech(ByteTokenizer())
WORDS = (
    Word("Fish", 0.4, 0.72, 0.9876),
    Word("&", 0.8, 0.92, 0.5),
    Word("<chips>", 1.0, 1.5, 1.0),
    Word("please", 3723.0, 3723.4567, 0.25),
)
SRT = """\
1
00:00:00,400 --> 00:00:01,500
Fish & <chips>

2
01:02:03,000 --> 01:02:03,833
please

"""
VTT = """\
WEBVTT

00:00:00.400 --> 00:00:01.500
Fish &amp; &lt;chips&gt;

01:02:03.000 --> 01:02:03.833
please

"""
CTM = """\
my_talk 1 0.400 0.320 Fish 0.9876
my_talk 1 0.800 0.120 & 0.5000
my_talk 1 1.000 0.500 <chips> 1.0000
my_talk 1 3723.000 0.457 please 0.2500
"""


def prediction(words: tuple[Word, ...], raw: str = "talks/my talk.flac#t=0.4,") -> Prediction:
    best = Hypothesis(tokens=(1,), score=-0.5, token_scores=(-0.5,), details={"words": words})
    worse = Hypothesis(tokens=(2,), score=-1.0, token_scores=(-1.0,), details={"words": ()})
    return Prediction(Example(0, {"speech": raw}, None, []), [best, worse])


@pytest.mark.parametrize(("form", "wanted"), [("srt", SRT), ("vtt", VTT), ("ctm", CTM)])
def test_it_is_written_so(form: str, wanted: str) -> None:
    assert "".join(TASK.write(form, [prediction(WORDS)])) == wanted


@pytest.mark.parametrize(("form", "wanted"), [("srt", ""), ("vtt", "WEBVTT\n\n"), ("ctm", "")])
def test_silence_is_written_so(form: str, wanted: str) -> None:
    assert "".join(TASK.write(form, [prediction(())])) == wanted


def test_a_recording_after_another_is_a_line_of_its_own_in_ctm() -> None:
    several = [prediction(WORDS[:1]), prediction(WORDS[1:2], "b.wav")]
    lines = list(TASK.write("ctm", iter(several)))
    assert lines == ["my_talk 1 0.400 0.320 Fish 0.9876\n", "b 1 0.800 0.120 & 0.5000\n"]


def test_every_format_that_is_named_is_written_and_has_times() -> None:
    assert WRITERS.keys() == FORMATS.keys()
    for form in FORMATS.values():
        flags = TranscribeFlags().model_copy(update=dict(form.flags))
        assert TASK.configure(flags, DecodeConfig()).emissions


def test_json_tells_words_where_they_are_known() -> None:
    example, (best, _) = prediction(WORDS[3:])
    record = json.loads(json.dumps(TASK.render(best, example)))
    said = {"text": "please", "start_s": 3723.0, "end_s": 3723.457, "confidence": 0.25}
    assert record["words"] == [said]
    assert "words" not in TASK.render(Hypothesis(tokens=(), score=0.0, token_scores=()), example)


# Subtitles ---------------------------------------------------------------------------------------------


def speech(*pairs: tuple[str, float]) -> list[Word]:
    """Words of 0.3 s, each with the silence before it."""
    words, end = [], 0.0
    for text, silence in pairs:
        words.append(Word(text, end + silence, end + silence + 0.3, 1.0))
        end = words[-1].end_s
    return words


def test_a_pause_parts_what_is_shown_together() -> None:
    shown = list(cues(speech(("one", 0.5), ("two", 0.1), ("three", 0.9), ("four", 0.1))))
    assert [cue.lines for cue in shown] == [["one two"], ["three four"]]


def test_words_fill_lines_and_no_more() -> None:
    words = speech(*((f"word{number}" * (1 + number % 3), 0.01) for number in range(60)))
    shown = list(cues(words))
    assert " ".join(line for cue in shown for line in cue.lines) == " ".join(word.text for word in words)
    assert all(1 <= len(cue.lines) <= LINES for cue in shown)
    assert all(len(line) <= CHARACTERS for cue in shown for line in cue.lines)
    assert all(cue.end_s - cue.start_s <= LONGEST_S for cue in shown)
    assert all(cue.end_s <= after.start_s for cue, after in itertools.pairwise(shown))
    pairs = [cue.lines for cue in shown if len(cue.lines) == LINES]
    assert pairs
    assert all(abs(len(first) - len(second)) < 20 for first, second in pairs)  # about as long


def test_nothing_is_shown_for_too_long() -> None:
    shown = list(cues(speech(*(("and", 0.7) for _ in range(20)))))
    assert len(shown) > 1
    assert all(6 < cue.end_s - cue.start_s <= LONGEST_S for cue in shown[:-1])


def test_what_is_short_stays_a_little_longer_but_not_into_the_next() -> None:
    no, yes = Word("no", 1.0, 1.01, 1.0), Word("yes", 9.0, 9.9, 1.0)
    shown = [(cue.start_s, round(cue.end_s, 3)) for cue in cues([no, yes])]
    assert shown == [(1.0, 1.833), (9.0, 9.9)]
    shown = [(cue.start_s, cue.end_s) for cue in cues([no, yes._replace(start_s=1.82, end_s=2.9)])]
    assert shown == [(1.0, 1.82), (1.82, 2.9)]


def test_a_word_longer_than_a_line_is_shown_whole() -> None:
    (cue,) = cues(speech(("x" * 100, 0)))
    assert cue.lines == ["x" * 100]


# The task ----------------------------------------------------------------------------------------------


def found(edges_s: tuple[float, ...] | None) -> Hypothesis:
    tokens = TASK.tokenizer.encode("a b")
    size = TASK.tokenizer.vocabulary.size
    path = torch.tensor([*tokens, size])
    log_probs = (9.0 * functional.one_hot(path, size + 1)).log_softmax(1)
    emissions = Emissions(log_probs, edges_s)
    return Hypothesis(tokens=tuple(tokens), score=-1.0, token_scores=(-1.0,), emissions=emissions)


def test_emissions_become_words_and_go() -> None:
    (kept,) = TASK.interpret([found((0.0, 0.1, 0.2, 0.3, 0.4))])
    assert kept.emissions is None
    assert [(word.text, word.start_s, word.end_s) for word in kept.details["words"]] == [
        ("a", 0.0, 0.1),
        ("b", 0.2, 0.3),
    ]
    ((joined,), (whole,)) = (
        TASK.join([{"speech": raw}], [[kept]], {}) for raw in ("talk.wav#t=10,11", "talk.wav")
    )
    assert [word.start_s for word in joined.details["words"]] == [10.0, 10.2]
    assert whole.details["words"] == kept.details["words"]


def test_what_takes_no_time_has_no_times() -> None:
    with pytest.raises(ConfigError, match="need inputs that take time"):
        TASK.interpret([found(None)])
