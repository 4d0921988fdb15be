"""What can go wrong: every error that a user can meet, and the exit code it ends in.

::

    SeqloomError                1   anything below; never raised itself
    ├── UsageError              2   a command line that makes no sense
    ├── DivergedError           3   training produced no finite loss
    ├── DataError              65   a data file that cannot be read as the job says
    ├── LostError              69   another process of the training that cannot be reached any more
    ├── StorageError           74   a file or a database that cannot be read or written
    │   └── CorruptError       74   bytes that do not match their recorded hash
    ├── MemoryShortError       74   no memory is left, on the device or the host
    ├── BusyError              75   somebody else holds a lock for too long; try again
    ├── ConfigError            78   a job file that asks for something that is not there
    │   └── PluginError        78   a plugin that is missing or was set aside
    └── Interrupted     130 / 143   a signal asked us to stop; the work is saved

Anything else that reaches the command line is a bug of ours and ends in 70.
"""

from __future__ import annotations

import difflib
import signal
from collections.abc import Iterable
from typing import ClassVar

BUG_EXIT_CODE = 70
OUT_OF_MEMORY = (
    "DefaultCPUAllocator",  # torch on a CPU
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
)
"""What a RuntimeError of torch's says where no memory was left."""


class SeqloomWarning(UserWarning):
    """What a user should know, though nothing fails; the command line tells each once."""


class SeqloomError(Exception):
    """A mistake or a misfortune that we can name; its text is all that a user sees."""

    exit_code: ClassVar[int] = 1


class UsageError(SeqloomError):
    """The command line contradicts itself or misses a part."""

    exit_code = 2


class DivergedError(SeqloomError):
    """The loss or its gradient stopped being finite."""

    exit_code = 3


class DataError(SeqloomError):
    """A data file is missing, malformed or unlike what the job says.

    Args:
        message: What was found and what to do.
        file: The file at fault.
        line: The line at fault, counted from 1.
    """

    exit_code = 65

    def __init__(self, message: str, file: object = None, line: int | None = None) -> None:
        place = "" if file is None else f"{file}: " if line is None else f"{file}:{line}: "
        super().__init__(place + message)
        self.file = file
        self.line = line


class LostError(SeqloomError):
    """Another process that trains with this one died or cannot be reached."""

    exit_code = 69


class StorageError(SeqloomError):
    """A file, a folder or a database cannot be read or written."""

    exit_code = 74


class CorruptError(StorageError):
    """A file's bytes are not those that were saved."""


class MemoryShortError(SeqloomError):
    """Memory does not suffice for the least of what was asked."""

    exit_code = 74


class BusyError(SeqloomError):
    """A lock stayed taken for longer than we wait."""

    exit_code = 75


class ConfigError(SeqloomError):
    """A job file, an option or an environment variable cannot be fulfilled."""

    exit_code = 78


class PluginError(ConfigError):
    """A job needs a part that no healthy plugin provides."""


class ToldError(Exception):
    """Ends a process as another one ends, which tells the user why.

    Args:
        error: What ends both.
    """

    def __init__(self, error: BaseException) -> None:
        super().__init__(str(error))
        self.error = error


class Interrupted(SeqloomError):  # noqa: N818 - nothing went wrong
    """A signal asked for an end.

    Args:
        message: What was saved, and how to go on.
        signum: The signal's number; the exit code is 128 more, as shells have it.
    """

    def __init__(self, message: str, signum: int = signal.SIGINT) -> None:
        super().__init__(message)
        self.signum = signum

    @property
    def exit_status(self) -> int:
        """130 for SIGINT, 143 for SIGTERM."""
        return 128 + self.signum


def did_you_mean(found: str, known: Iterable[str]) -> str:
    """Returns `` Did you mean 'x'?`` where a known name is close to ``found``, else nothing."""
    close = difflib.get_close_matches(found, list(known), n=1, cutoff=0.6)
    return f" Did you mean '{close[0]}'?" if close else ""


def unknown_name(kind: str, found: str, known: Iterable[str]) -> str:
    """The one wording for a name that is not there: what was asked, what exists, the nearest."""
    names = sorted(known)
    listed = ", ".join(names) if names else "none"
    return f"no {kind} '{found}'; there are: {listed}.{did_you_mean(found, names)}"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of Python's or torch's means that no memory was left."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # torch's own
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in OUT_OF_MEMORY)
