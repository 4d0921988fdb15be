"""Where is this process? The machine, the command that began it, and the state of the user's code."""

from __future__ import annotations

import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import torch

from seqloom.device import Device

LONGEST_COMMAND: Final = 10_000
SECONDS: Final = 2.0
"""How long git may take: in a repository that takes longer, a run is recorded without it."""

HIDDEN: Final = "***"
IN_URL: Final = re.compile(r"(?<=://)([^:/@\s]*):.*@", re.DOTALL)  # the last @: a password may hold others
IN_KEY: Final = re.compile(r"(?i)\b((?:ssl)?password|passwd|secret|token|api[_-]?key)=[^&\s]+")

REPOSITORY: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE")
"""What points git to a repository other than that of the folder, as in one of its hooks."""
QUIET: Final = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--no-optional-locks")
"""A repository's own settings must not run programs, nor what is only looked at be written to."""
OFFLINE: Final = {
    "GIT_ALLOW_PROTOCOL": "none",  # what a partial clone lacks is not fetched
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
FILTERS: Final = r"^filter\..*\.(clean|process|required)$"
STATUS: Final = (
    *("status", "--porcelain=v2", "--branch", "--no-ahead-behind", "--no-renames"),
    *("--untracked-files=no", "--ignore-submodules=all"),
)
COMMIT: Final = re.compile(r"[0-9a-f]{40,64}")


# The machine -------------------------------------------------------------------------------------------


def environment(device: Device) -> dict[str, str]:
    """What there is to know of the machine and the process.

    Returns:
        ``platform``, ``host``, ``cpu``, ``cores`` (those that the process may use), ``memory``, ``threads``
        (torch's), ``command``, and with a GPU ``gpu``; what this system does not tell is left out.
    """
    found = {
        "platform": platform.platform(),
        "host": platform.node(),
        "cpu": _cpu(),
        "cores": str(_cores()),
        "memory": _memory(),
        "gpu": _gpu(device.device) if device.is_gpu else "",
        "threads": str(torch.get_num_threads()),
        "command": command(sys.argv),
    }
    return {name: text for name, text in found.items() if text}


def command(words: Sequence[str]) -> str:
    """A command line as a shell takes it, without passwords: those in URLs, and what is called so.

    Args:
        words: As ``sys.argv`` has them.
    """
    line = shlex.join(map(_without_secrets, words))
    return line.encode(errors="replace").decode()[:LONGEST_COMMAND]


def _without_secrets(word: str) -> str:
    return IN_KEY.sub(rf"\1={HIDDEN}", IN_URL.sub(rf"\1:{HIDDEN}@", word))


def _cpu() -> str:
    """The processor's model; where nobody says, its kind."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip().lower() in ("model name", "hardware"):
                return value.strip()
    return platform.processor() or platform.machine()


def _cores() -> int:
    with suppress(AttributeError):  # not every system lets one ask
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory() -> str:
    with suppress(ValueError, OSError, AttributeError):
        return _gib(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return ""


def _gpu(device: torch.device) -> str:
    """``NVIDIA H200, 139.7 GiB``."""
    told = torch.cuda.get_device_properties(device)
    return f"{told.name}, {_gib(told.total_memory)}"


def _gib(size_bytes: int) -> str:
    return f"{size_bytes / 2**30:.1f} GiB"


# The code ----------------------------------------------------------------------------------------------


def git_state(folder: Path) -> dict[str, str]:
    """The state of the repository that a folder is in.

    Nothing that the repository's settings name is run, and nothing is asked for.

    Returns:
        ``commit``, ``branch`` (none where no branch is checked out) and ``dirty``: ``yes`` where files that
        git knows were changed since. Empty outside of a repository, and where git is not there, not
        willing or not quick.
    """
    program = shutil.which("git")
    if program is None:
        return {}
    try:
        filters = _git(program, folder, ["config", "--null", "--name-only", "--get-regexp", FILTERS], {})
        off = {key: "false" if key.endswith(".required") else "" for key in filters.split("\0") if key}
        return _read_status(_git(program, folder, STATUS, off))
    except (OSError, ValueError, subprocess.SubprocessError):
        return {}


def _git(program: str, folder: Path, words: Sequence[str], settings: dict[str, str]) -> str:
    """What git says, perhaps with other settings than the repository's."""
    place = {name: value for name, value in os.environ.items() if name not in REPOSITORY} | OFFLINE
    given = int(place.get("GIT_CONFIG_COUNT") or 0)
    for number, (key, value) in enumerate(settings.items(), given):
        place |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    place["GIT_CONFIG_COUNT"] = str(given + len(settings))
    done = subprocess.run(  # noqa: S603 - no word of it comes from a repository
        [program, "-C", str(folder), *QUIET, *words],
        env=place,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    return done.stdout.decode(errors="replace") if done.returncode == 0 else ""


def _read_status(told: str) -> dict[str, str]:
    lines = told.splitlines()
    heads = dict(line.removeprefix("# branch.").partition(" ")[::2] for line in lines if line[:1] == "#")
    commit, branch = heads.get("oid", ""), heads.get("head", "")
    if not COMMIT.fullmatch(commit):  # no repository, or one without a commit
        return {}
    dirty = "yes" if any(line[:1] != "#" for line in lines) else "no"
    state = {"commit": commit, "branch": "" if branch == "(detached)" else branch, "dirty": dirty}
    return {name: text for name, text in state.items() if text}
