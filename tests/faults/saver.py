"""A process that acts on checkpoints in children that may be struck; torch is imported once for all.

It reads a line at a time: ``save FOLDER STEP FILL``, ``prune FOLDER STEP`` or ``recover FOLDER``. For each it
forks a child that stops itself before it acts, tells the child's number and, when it is gone, its exit code.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import traceback
from pathlib import Path

import torch

from seqloom.checkpoint import Checkpoints
from seqloom.errors import SeqloomError


def act(line: str) -> None:
    action, folder, *numbers = line.split()
    checkpoints = Checkpoints(Path(folder))
    if action == "save":
        step, fill = map(int, numbers)
        layer = torch.nn.Linear(30, 20)
        optimizer = torch.optim.Adam(layer.parameters())
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.grad = parameter.fill_(fill).clone()
        optimizer.step()
        weights = {"weight": torch.full((30, 20), float(fill))}
        checkpoints.save(step, weights, optimizer, {"fill": fill})
    elif action == "prune":
        checkpoints.prune(set(map(int, numbers)))
    else:
        checkpoints.recover()


def child(line: str) -> int:
    """The exit code of an action, as the command line would have it."""
    signal.raise_signal(signal.SIGSTOP)
    try:
        act(line)
    except SeqloomError as error:
        return error.exit_code
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:  # what is imported late is imported now
        for line in (f"save {folder} 1 1", f"save {folder} 1 2", f"recover {folder}", f"prune {folder} 2"):
            act(line)
    for line in sys.stdin:
        number = os.fork()
        if number == 0:
            os._exit(child(line))
        os.waitpid(number, os.WUNTRACED)
        print(number, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
