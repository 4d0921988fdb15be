"""How does this process get its memory, and how much has it taken?"""

from __future__ import annotations

import ctypes
import platform
import re
import resource
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from seqloom.config import Allocator
from seqloom.device import Device

STATUS = Path("/proc/self/status")
"""Linux tells a process' own peak here; getrusage's may be that of the process that started it."""
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of mallopt(3)
KEPT_BYTES = 2**31 - 1
"""Free memory at the heap's top that glibc does not give back: the most that mallopt takes."""
MAPPED_FROM_BYTES = (2**30, 2**25)
"""Size from which glibc asks the system for a block alone; the second for a glibc that takes no more."""


def tuned(device: Device, wanted: Allocator) -> Device:
    """Lets glibc keep what tensors free, so that the next ones need no page of the system's.

    By itself glibc maps each large block anew and gives it back at once: on a CPU a training step then
    spends much of its time on pages that the kernel has to clear. What it costs is memory: a process
    keeps what it once needed. It acts on the whole process, from now on.

    Args:
        device: Where tensors live; a GPU's are not glibc's.
        wanted: keep, or system for what the system does by itself.

    Returns:
        The device, with what was done added to its reason.
    """
    return device._replace(reason=f"{device.reason}; {_tune(device, wanted)}")


def _tune(device: Device, wanted: Allocator) -> str:
    if wanted == "system":
        return "memory as the system hands it out, asked for"
    if device.is_gpu:
        return "memory is the GPU's"
    if platform.libc_ver()[0] != "glibc":
        return "memory as the system hands it out, its C library is not glibc"
    if keep_freed(ctypes.CDLL(None).mallopt):
        return "freed memory is kept"
    return "memory as the system hands it out, its glibc takes no settings"


def keep_freed(mallopt: Callable[[int, int], int]) -> bool:
    """Makes the settings; returns whether glibc took them.

    Args:
        mallopt: That of glibc: a parameter and its value to 1 if taken, else 0.
    """
    mapped = any(mallopt(M_MMAP_THRESHOLD, size) for size in MAPPED_FROM_BYTES)
    return bool(mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)) and mapped


def peak_memory_bytes(device: Device) -> int:
    """The most memory that this process ever took: of the GPU if it computes there, else resident."""
    if device.is_gpu:
        return torch.cuda.max_memory_allocated(device.device)
    if STATUS.is_file():
        (kibibytes,) = re.findall(r"^VmHWM:\s+(\d+) kB$", STATUS.read_text(), re.MULTILINE)
        return int(kibibytes) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # macOS counts bytes, others KiB
