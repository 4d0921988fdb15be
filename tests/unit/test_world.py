"""Two real processes: what they exchange, and how they end together. ``scenes.py`` has what they do."""

from __future__ import annotations

from typing import Any

import pytest

from seqloom.errors import ConfigError
from seqloom.world import World

Scenes = list[dict[str, Any]]
LAUNCHED = {
    "WORLD_SIZE": "2",
    "RANK": "1",
    "LOCAL_RANK": "0",
    "MASTER_ADDR": "127.0.0.1",
    "MASTER_PORT": "29500",
}


# Alone -------------------------------------------------------------------------------------------------


def test_without_a_launcher_there_is_one() -> None:
    value = object()
    for environment in ({}, {"WORLD_SIZE": "1"}):
        with World.from_environment(environment) as world:
            assert (world.rank, world.size, world.is_first) == (0, 1, True)
            assert world.agree(lambda: value) == [value]
            assert world.first(lambda: value) is world.in_turn(lambda: value) is value


def test_errors_of_one_are_its_own() -> None:
    with pytest.raises(KeyError, match="here"), World() as world:
        world.agree(lambda: {}["here"])


def test_a_launcher_says_who_is_who() -> None:
    world = World.from_environment(LAUNCHED)
    assert (world.rank, world.size, world.local_rank, world.is_first) == (1, 2, 0, False)


@pytest.mark.parametrize("name", ["RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"])
def test_what_a_launcher_does_not_say_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"but {name} is not set; .* torchrun --nproc-per-node 2"):
        World.from_environment({key: value for key, value in LAUNCHED.items() if key != name})


@pytest.mark.parametrize("name", ["WORLD_SIZE", "RANK", "LOCAL_RANK"])
def test_what_is_no_number_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match=f"variable {name} is 'two'"):
        World.from_environment(LAUNCHED | {name: "two"})


# Exchanges ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_tensors_add_up_to_the_same_bits(scenes: Scenes) -> None:
    zero, one = (scenes[rank]["sums"]["result"] for rank in (0, 1))
    assert zero["after"] == one["after"]
    assert zero["others"] == one["others"] == [4.0, 3]
    for both, a, b in zip(zero["after"], zero["before"], one["before"], strict=True):
        for sums, row, other in zip(both, a, b, strict=True):
            assert sums == pytest.approx([x + y for x, y in zip(row, other, strict=True)])


@pytest.mark.slow
def test_tensors_of_rank_0_spread(scenes: Scenes) -> None:
    assert scenes[0]["spread"] == scenes[1]["spread"] == {"result": [[[1.0, 1.0], [1.0, 1.0]], 1]}


@pytest.mark.slow
def test_messages_of_any_length_arrive(scenes: Scenes) -> None:
    wanted = {"agreed": ["", "ä" * 1000], "first": {"rank": 0}}
    assert scenes[0]["messages"]["result"] == scenes[1]["messages"]["result"] == wanted


@pytest.mark.slow
def test_rank_0_does_it_before_the_others(scenes: Scenes) -> None:
    assert [scenes[rank]["turns"]["result"] for rank in (0, 1)] == [[True, 0, False], [True, 1, True]]


@pytest.mark.slow
def test_an_error_of_one_rank_is_raised_on_all(scenes: Scenes) -> None:
    zero, one = (scenes[rank]["errors"]["result"] for rank in (0, 1))
    assert zero == {
        "data": ["DataError", "train.src:3: it is empty (rank 1)", None],
        "signal": ["Interrupted", "stopped", 15],
        "disk": ["OSError", "[Errno 28] No space left on device (rank 1)", None],
        "memory": ["MemoryError", "none left (rank 1)", None],
        "device memory": [
            "MemoryError",
            "[enforce fail] DefaultCPUAllocator: can't allocate memory (rank 1)",
            None,
        ],
        "bug": ["RuntimeError", "KeyError: 'name' (rank 1)", None],
        "both": ["DataError", "of 0", None],
        "first": ["StorageError", "full", None],
    }
    assert one["data"] == ["DataError", "train.src:3: it is empty", None]
    assert one["bug"] == ["KeyError", "'name'", None]
    assert (one["both"], one["first"]) == (zero["both"], zero["first"])


# Ends --------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scene", "told"), [("well", ["runs/1", "runs/1"]), ("nothing_to_do", ["nothing", ""])]
)
def test_all_may_end_well(scenes: Scenes, scene: str, told: list[str]) -> None:
    assert [rank[scene] for rank in scenes] == [{"result": word} for word in told]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scene", "error"),
    [
        ("before", ["DataError", "no such file", None]),
        ("after", ["StorageError", "no room for the model", None]),
        ("within", ["DataError", "bad (rank 1)", None]),
        ("of_all", ["DivergedError", "ten steps", None]),
    ],
)
def test_rank_0_tells_why_all_end(scenes: Scenes, scene: str, error: list[Any]) -> None:
    assert scenes[0][scene] == {"error": error}
    kind, words, signum = error
    assert scenes[1][scene] == {"told": [kind, words.removesuffix(" (rank 1)"), signum]}


@pytest.mark.slow
def test_a_rank_that_ends_by_itself_is_missed(scenes: Scenes) -> None:
    assert scenes[1]["of_one"] == {"error": ["KeyError", "'a bug'", None]}
    kind, words, _ = scenes[0]["of_one"]["error"]
    assert kind == "LostError"
    assert words.startswith("another process of this training ended or cannot be reached (")
