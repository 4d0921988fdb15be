"""glibc keeps what is freed where it was told to, and only there."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest
import torch

from seqloom.allocator import KEPT_BYTES, M_TRIM_THRESHOLD, keep_freed, peak_memory_bytes, tuned
from seqloom.device import Device

CPU = Device(torch.device("cpu"), torch.float32, "cpu (found)")
GPU = Device(torch.device("cuda", 0), torch.float32, "cuda:0 (found)")

# Prints what was said, and how many bytes glibc mapped alone for a block of 64 MiB.
MAPPED = """
import ctypes, sys
import torch
from seqloom.allocator import tuned
from seqloom.device import choose_device

class Usage(ctypes.Structure):
    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in names.split()]

libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Usage
print(tuned(choose_device("cpu"), sys.argv[1]).reason)
before = libc.mallinfo2().hblkhd
block = torch.empty(2**24)
print(libc.mallinfo2().hblkhd - before)
"""


def mapped(wanted: str) -> tuple[str, int]:
    done = subprocess.run(
        [sys.executable, "-c", MAPPED, wanted], capture_output=True, text=True, check=True
    )
    reason, found = done.stdout.splitlines()
    return reason, int(found)


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's settings")
def test_a_large_block_comes_from_the_heap_unless_the_system_shall_give_it() -> None:
    reason, found = mapped("keep")
    assert reason.endswith("; freed memory is kept")
    assert found == 0
    reason, found = mapped("system")
    assert reason.endswith("; memory as the system hands it out, asked for")
    assert found >= 2**26


def test_a_gpu_has_its_own_memory() -> None:
    assert tuned(GPU, "keep").reason == "cuda:0 (found); memory is the GPU's"


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert tuned(CPU, "keep").reason.endswith("its C library is not glibc")


@pytest.mark.parametrize(
    ("most", "taken", "wanted"),
    [(2**30, True, [2**30]), (2**25, True, [2**30, 2**25]), (0, False, [2**30, 2**25])],
)
def test_an_older_glibc_takes_less(most: int, taken: bool, wanted: list[int]) -> None:
    asked = []

    def mallopt(parameter: int, value: int) -> int:
        asked.append((parameter, value))
        return int(parameter == M_TRIM_THRESHOLD or value <= most)

    assert keep_freed(mallopt) is taken
    assert sorted(asked) == sorted([(-3, size) for size in wanted] + [(M_TRIM_THRESHOLD, KEPT_BYTES)])


def test_the_peak_holds_what_was_taken() -> None:
    block = torch.ones(2**24)
    assert peak_memory_bytes(CPU) >= block.nbytes
