"""The demo's conversations: always the same, and replies that follow from what was said."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from seqloom.catalog import Catalog
from seqloom.hooks import DemoRequest
from seqloom.jobfile import load_job
from seqloom_dialogue import demo
from seqloom_dialogue.talks import ABOUT, DAYS, OPENING, WEEKEND, Talk, split, talk

PARTS = split(random.Random(1))
RNG = random.Random(2)
TALKS = [talk(RNG, PARTS.known) for _ in range(1500)]


def replies(one: Talk, having: str) -> list[tuple[str, str]]:
    """What the system says that has these words, each with all that was said before."""
    texts = [turn.text for turn in one.turns]
    return [(" ".join(texts[:at]), text) for at, text in enumerate(texts) if at % 2 and having in text]


def test_a_seed_says_all() -> None:
    again = random.Random(2)
    assert split(random.Random(1)) == PARTS
    assert [talk(again, PARTS.known) for _ in range(20)] == TALKS[:20]


def test_what_is_held_out_is_known_to_nobody() -> None:
    for service, every in ABOUT.items():
        known, held_out = set(PARTS.known[service]), set(PARTS.held_out[service])
        assert known | held_out == set(every)
        assert not known & held_out
        assert 0.05 < len(held_out) / len(every) < 0.15
    said = {text for one in TALKS for _, text in replies(one, "")}
    for count, day, hour in PARTS.held_out["table"]:
        assert f"It is booked: {day} at {hour}, for {count}." not in said
    for place, day in PARTS.held_out["opening"]:
        assert not any(text.startswith(f"The {place} opens") and f"on {day}" in text for text in said)


def test_speakers_take_turns_in_whole_sentences() -> None:
    for one in TALKS:
        speakers = [turn.speaker for turn in one.turns]
        assert speakers == ["user", "system"] * (len(speakers) // 2)
        for turn in one.turns:
            assert re.fullmatch(r"[A-Z].*[.?]", turn.text)
            assert not re.search(r"[{}]|  |\ba [aeiou]", turn.text)


def test_a_reply_follows_from_what_was_said() -> None:
    of_whole: dict[str, str] = {}
    for one in TALKS:
        for before, text in replies(one, ""):
            assert of_whole.setdefault(before, text) == text


def test_what_is_booked_was_asked_for() -> None:
    booked = [pair for one in TALKS for pair in replies(one, "It is booked")]
    assert len(booked) > 100
    for before, text in booked:
        for fact in re.fullmatch(r"It is booked: (\w+) at (.*), for (\w+)\.", text).groups():  # type: ignore[union-attr]
            assert re.search(rf"\b{fact}\b", before, re.IGNORECASE)
        if " No, on " in before:
            assert before.rpartition(" No, on ")[2].startswith(text.split()[3])


def test_what_is_ordered_is_on_its_way() -> None:
    made = [pair for one in TALKS for pair in replies(one, "is on its way")]
    assert len(made) > 100
    for before, text in made:
        wanted = text.lower().removesuffix(", is on its way.").rpartition(", ")
        for thing in wanted[0].split(" and "):
            for word in thing.split()[1:]:
                assert re.search(rf"\b{word}\b", before, re.IGNORECASE)
        assert wanted[2] in before.lower()


def test_places_open_when_they_open() -> None:
    opened = [text for one in TALKS for _, text in replies(one, " opens at ")]
    assert len(opened) > 100
    for text in opened:
        place, hour, day = re.fullmatch(r"The (\w+) opens at (\w+) on (\w+)\.", text).groups()  # type: ignore[union-attr]
        assert day in DAYS
        assert hour == OPENING[place][day in WEEKEND]


def test_the_demo_writes_conversations_without_leaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, size in (("TRAIN", 200), ("VALID", 10), ("TEST", 20)):
        monkeypatch.setattr(demo, name, size)
    made = demo.make_demo(DemoRequest(folder=str(tmp_path), seed=1))
    again = tmp_path / "again"
    again.mkdir()
    demo.make_demo(DemoRequest(folder=str(again), seed=1))
    lines = {name: (tmp_path / f"{name}.jsonl").read_text().splitlines() for name in ("train", "test")}
    assert lines["train"] == (again / "train.jsonl").read_text().splitlines()
    histories = {name: {line.partition('", "reply"')[0] for line in rows} for name, rows in lines.items()}
    assert len(histories["test"]) == len(lines["test"]) > 20
    assert not histories["train"] & histories["test"]
    assert made.facts["test histories that occur in training"] == "0"
    assert len(made.unseen) == 5
    assert load_job(Path(made.job), Catalog.from_environment()).config.name == "demo-dialogue"
