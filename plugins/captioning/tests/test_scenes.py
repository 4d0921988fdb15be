"""The demo's scenes: described by one sentence, always the same, and apart where they are to be."""

from __future__ import annotations

import json
import random
import re
from itertools import islice
from pathlib import Path

import pytest
from PIL import Image

from seqloom.catalog import Catalog
from seqloom.hooks import DemoRequest
from seqloom.jobfile import load_job
from seqloom_captioning import demo
from seqloom_captioning.scenes import COLOURS, HELD_OUT, SHAPES, SIDE, SIZES, Scene, draw, scenes

THING = rf"a ({'|'.join(SIZES)}) ({'|'.join(COLOURS)}) ({'|'.join(SHAPES)})"
KNOWN = list(islice(scenes(random.Random(1), new=False), 6000))
NEW = list(islice(scenes(random.Random(1), new=True), 300))


def things(scene: Scene) -> list[tuple[str, ...]]:
    return re.findall(THING, scene.caption)


def test_a_seed_says_all() -> None:
    again = list(islice(scenes(random.Random(1), new=False), 20))
    assert again == KNOWN[:20]
    pictures = [draw(KNOWN[0], random.Random(seed)).tobytes() for seed in (1, 1, 2)]
    assert pictures[0] == pictures[1] != pictures[2]


def test_captions_name_what_is_drawn() -> None:
    for scene in KNOWN[:500]:
        assert sorted(things(scene)) == sorted(tuple(one.thing) for one in scene.drawn)
        assert re.fullmatch(rf"{THING} (?:(?:at|on|in) the [\w ]+|(?:[\w ]+) {THING})", scene.caption)


def test_relations_are_those_of_the_places() -> None:
    for scene in KNOWN[:1000]:
        relation = re.search(r"left of|right of|above|below", scene.caption)
        if relation is None:
            continue
        first, second = scene.drawn
        assert str(first.thing) == scene.caption[: scene.caption.index(f" {relation[0]}")]
        distance = {"left of": second.across - first.across, "right of": first.across - second.across,
                    "above": second.down - first.down, "below": first.down - second.down}  # fmt: skip
        assert distance[relation[0]] > 0.4


def test_a_scene_has_one_description() -> None:
    """Of two things that might both come first, the rule names one."""
    for scene in KNOWN[:2000]:
        found = things(scene)
        if len(found) == 2:
            sizes = [size for size, _, _ in found]
            assert sizes != ["small", "large"]
            assert len(set(sizes)) == 2 or re.search("left of|above", scene.caption)


def test_nothing_held_out_is_known_and_all_of_its_parts_are() -> None:
    known = {thing for scene in KNOWN for thing in things(scene)}
    assert not known & {tuple(thing) for thing in HELD_OUT}
    assert len(known) == len(SIZES) * len(COLOURS) * len(SHAPES) - len(HELD_OUT)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        pairs = {(thing[one], thing[other]) for thing in known}
        assert {(thing[one], thing[other]) for thing in HELD_OUT} <= pairs
    assert all({tuple(thing) for thing in HELD_OUT} & set(things(scene)) for scene in NEW)
    assert len({scene.caption for scene in KNOWN}) >= 2000


def test_things_have_their_colours_and_places() -> None:
    rng = random.Random(3)
    for scene in KNOWN[:200]:
        picture = draw(scene, rng)
        assert picture.size == (SIDE, SIDE)
        for one in scene.drawn:
            middle = picture.getpixel((int(one.across * SIDE), int(one.down * SIDE)))
            assert middle == COLOURS[one.thing.colour]
        assert min(picture.getpixel((0, 0))) >= 225


def test_the_demo_writes_splits_without_leaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in (("TRAIN", 60), ("VALID", 4), ("TEST", 8)):
        monkeypatch.setattr(demo, name, size)
    made = demo.make_demo(DemoRequest(folder=str(tmp_path), seed=1))
    rows = {
        name: [json.loads(line) for line in (tmp_path / f"{name}.jsonl").read_text().splitlines()]
        for name in ("train", "valid", "test")
    }
    assert {name: len(split) for name, split in rows.items()} == {"train": 60, "valid": 4, "test": 8}
    assert len({row["caption"] for row in rows["test"]}) == 8
    assert made.facts["test captions that occur in training"] == "0"
    assert "small red star" in made.facts["never seen in training, one of them in each test scene"]
    assert [caption for _, caption in made.unseen] == [row["caption"] for row in rows["test"][:5]]
    with Image.open(tmp_path / rows["train"][59]["image"]) as picture:
        assert picture.size == (SIDE, SIDE)
    job = load_job(Path(made.job), Catalog.from_environment())
    assert job.config.name == "demo-captioning"
    assert job.config.inputs["image"].options["size"] == SIDE
