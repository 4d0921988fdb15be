"""Acts on checkpoints: ``save FOLDER STEP FILL``, ``prune FOLDER STEP`` or ``recover FOLDER`` a line."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from children import serve

from seqloom.checkpoint import Checkpoints
from seqloom.errors import SeqloomError


def act(line: str) -> int:
    """The exit code that the command line would give it."""
    action, folder, *numbers = line.split()
    checkpoints = Checkpoints(Path(folder))
    try:
        if action == "save":
            save(checkpoints, *map(int, numbers))
        elif action == "prune":
            checkpoints.prune(set(map(int, numbers)))
        else:
            checkpoints.recover()
    except SeqloomError as error:
        return error.exit_code
    return 0


def save(checkpoints: Checkpoints, step: int, fill: int) -> None:
    """A checkpoint all of whose tensors tell the same number."""
    layer = torch.nn.Linear(30, 20)
    optimizer = torch.optim.Adam(layer.parameters())
    for parameter in layer.parameters():
        parameter.grad = torch.full_like(parameter, fill)
    optimizer.step()
    checkpoints.save(step, {"weight": torch.full((30, 20), float(fill))}, optimizer, {"fill": fill})


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:  # what is imported late is imported now
        for words in ("save {} 1 1", "save {} 1 2", "recover {}", "prune {} 2"):
            assert act(words.format(scratch)) == 0
    serve(act)
