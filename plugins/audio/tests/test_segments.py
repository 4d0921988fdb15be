"""A fragment of time at the end of a name is a segment; anything else belongs to the name."""

from __future__ import annotations

import pytest

from seqloom.errors import DataError
from seqloom_audio.segments import Segment, segment_of


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("talk.flac", Segment("talk.flac")),
        ("talk.flac#t=12.5,17.25", Segment("talk.flac", 12.5, 17.25)),
        ("talk.flac#t=12", Segment("talk.flac", 12.0, None)),
        ("talk.flac#t=12,", Segment("talk.flac", 12.0, None)),
        ("talk.flac#t=,17", Segment("talk.flac", 0.0, 17.0)),
        ("a#t=1/talk#2.flac#t=0,3", Segment("a#t=1/talk#2.flac", 0.0, 3.0)),
        ("talk.flac#t=1#t=2", Segment("talk.flac#t=1", 2.0, None)),
    ],
)
def test_a_fragment_says_from_when_to_when(raw: str, wanted: Segment) -> None:
    assert segment_of(raw) == wanted


@pytest.mark.parametrize(
    "raw",
    [
        "a#t=",
        "a#t=,",
        "a#t=1,2.flac",
        "a#t=-1,2",
        "a#t=1:30",
        "a#t=1e3",
        "a#T=1",
        "a#t=.5",
        "a#t=1,nan",
        "a#t=٣",
    ],
)
def test_what_is_no_fragment_is_a_name(raw: str) -> None:
    assert segment_of(raw) == Segment(raw)


@pytest.mark.parametrize("raw", ["a#t=2,1", "a#t=1,1", "a#t=,0"])
def test_a_segment_that_ends_before_it_begins_is_told(raw: str) -> None:
    with pytest.raises(DataError, match="holds no sound"):
        segment_of(raw)


def test_a_moment_far_away_is_a_moment() -> None:
    assert segment_of(f"a#t={'9' * 400}").start_s == float("inf")
