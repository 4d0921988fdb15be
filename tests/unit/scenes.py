"""What two real processes do for test_world and test_reduction: each scene is played by both, over gloo.

Run as ``python scenes.py RESULTS PORT…`` with RANK, WORLD_SIZE and so on set; every scene has a port and a
world of its own, and what comes of it, or the error that ends it, is written to RESULTS as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from seqloom import collectives
from seqloom.errors import DataError, DivergedError, Interrupted, StorageError, ToldError
from seqloom.reduction import Reduction
from seqloom.world import World

ERRORS: dict[str, Exception] = {
    "data": DataError("it is empty", "train.src", 3),
    "signal": Interrupted("stopped", 15),
    "disk": OSError(28, "No space left on device"),
    "memory": MemoryError("none left"),
    "device memory": RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
    "bug": KeyError("name"),
}


def told(error: BaseException) -> list[Any]:
    return [type(error).__name__, str(error), getattr(error, "signum", None)]


def failing(work: Callable[[], Any]) -> list[Any]:
    try:
        work()
    except Exception as error:
        return told(error)
    return []


def fail(error: BaseException) -> None:
    raise error


# Sums and messages -------------------------------------------------------------------------------------


def sums(world: World) -> Any:
    collectives.BUCKET_BYTES = 64
    generator = torch.Generator().manual_seed(world.rank)
    small = [torch.rand(3, 4, generator=generator) for _ in range(4)]
    others = [torch.tensor([1.5 + world.rank], dtype=torch.float64), torch.tensor(world.rank + 1)]
    before = [tensor.tolist() for tensor in small]
    world.add_up([*small, others[0], torch.empty(0), others[1]])
    return {"before": before, "after": [t.tolist() for t in small], "others": [t.item() for t in others]}


def spread(world: World) -> Any:
    tensors = [torch.full((2, 2), 1.0 + world.rank), torch.full((), 1 + world.rank)]
    world.spread(tensors)
    return [tensor.tolist() for tensor in tensors]


def messages(world: World) -> Any:
    own = ["", "ä" * 1000][world.rank]
    return {"agreed": world.agree(lambda: own), "first": world.first(lambda: {"rank": world.rank})}


def turns(world: World) -> Any:
    """Rank 0 is slow, and the other finds what it left all the same."""
    left = Path(sys.argv[1]).with_name("left")

    def work() -> tuple[int, bool]:
        time.sleep(0.0 if world.rank else 0.3)
        was_there = left.exists()
        left.touch()
        return world.rank, was_there

    mine = world.in_turn(work)
    return [isinstance(mine, tuple), *mine]


def errors(world: World) -> Any:
    """Of rank 1 alone, then of both."""
    found = {
        name: failing(lambda error=error: world.agree(lambda: fail(error) if world.rank else None))
        for name, error in ERRORS.items()
    }
    found["both"] = failing(lambda: world.agree(lambda: fail(DataError(f"of {world.rank}"))))
    found["first"] = failing(lambda: world.first(lambda: fail(StorageError("full"))))
    return found


# Ends --------------------------------------------------------------------------------------------------


def well(world: World) -> Any:
    with world.together("runs/1") as word:
        return word


def nothing_to_do(world: World) -> Any:
    if world.is_first:
        return "nothing"
    with world.together() as word:
        return word


def before(world: World) -> Any:
    if world.is_first:
        raise DataError("no such file")
    with world.together():
        return "never here"


def after(world: World) -> Any:
    with world.together():
        pass
    if world.is_first:
        raise StorageError("no room for the model")


def within(world: World) -> Any:
    with world.together():
        world.agree(lambda: fail(DataError("bad")) if world.rank else None)


def of_all(world: World) -> Any:
    with world.together():
        raise world.common(DivergedError("ten steps"))


def of_one(world: World) -> Any:
    """Rank 1 fails outside any exchange: rank 0 must not wait for it."""
    with world.together():
        if not world.is_first:
            raise KeyError("a bug")
        world.agree(lambda: None)


# Reduction ---------------------------------------------------------------------------------------------


def reduction(world: World) -> Any:
    """Four parameters: of both ranks, of rank 1 alone, of none, and frozen."""
    parameters = [nn.Parameter(torch.zeros(2)) for _ in range(4)]
    parameters[3].requires_grad_(False)
    (parameters[0] * (1.0 + world.rank)).sum().backward()
    if world.rank:
        (parameters[1] * 5).sum().backward()
    buffers = [torch.tensor(2.0 + 2 * world.rank), torch.tensor(7 + world.rank)]
    row = torch.tensor([float(world.rank), 0.1], dtype=torch.float64)
    table = Reduction(world, parameters, buffers)(row)
    return {
        "gradients": [None if p.grad is None else p.grad.tolist() for p in parameters],
        "buffers": [buffer.item() for buffer in buffers],
        "table": table.tolist(),
    }


SCENES = (sums, spread, messages, turns, errors, well, nothing_to_do, before, after, within, of_all, of_one)
SCENES += (reduction,)


def play(scene: Callable[[World], Any], port: str) -> dict[str, Any]:
    os.environ["MASTER_PORT"] = port
    try:
        with World.from_environment() as world:
            return {"result": scene(world)}
    except ToldError as error:
        return {"told": told(error.error)}
    except Exception as error:
        return {"error": told(error)}


if __name__ == "__main__":
    torch.set_num_threads(1)
    done = {scene.__name__: play(scene, port) for scene, port in zip(SCENES, sys.argv[2:], strict=True)}
    Path(sys.argv[1]).write_text(json.dumps(done), encoding="utf-8")
