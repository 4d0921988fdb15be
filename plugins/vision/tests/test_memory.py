"""To read a picture of fifty million pixels takes less than 300 MB."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

MEGABYTES = 300
FIFTY_MILLION = (8192, 6103)
MEASURE = """
import re, sys
from pathlib import Path
from PIL import Image
from seqloom.errors import DataError
from seqloom_vision.reading import read_picture

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1000

small, large = sys.argv[1:]
read_picture(small, "RGB", (128, 128))  # what Pillow loads to read this format
Path("/proc/self/clear_refs").write_text("5")
before = peak()
try:
    print(*read_picture(large, "RGB", (128, 128)).size)
except DataError as error:
    print(error)
print(peak() - before)
"""
KINDS = {  # how Pillow has and writes it
    "baseline": ("RGB", "JPEG", {}),
    "colour": ("RGB", "PNG", {"compress_level": 1}),
    "progressive": ("RGB", "JPEG", {"progressive": True}),
    "fine-progressive": ("RGB", "JPEG", {"progressive": True, "subsampling": 0}),
    "print": ("CMYK", "JPEG", {}),
    "alpha": ("RGBA", "PNG", {"compress_level": 1}),
    "grey-16": ("I;16", "PNG", {"compress_level": 1}),
    "grey": ("L", "PNG", {"compress_level": 1}),
    "bitmap": ("RGB", "BMP", {}),
    "webp": ("RGB", "WEBP", {"method": 0}),
}
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is measured as Linux tells it")


def peak_megabytes(kind: str, size: tuple[int, int], folder: Path) -> tuple[str, float]:
    """What a process says of reading a picture, and the memory that it took."""
    mode, form, options = KINDS[kind]
    files = [folder / "small", folder / "large"]
    for file, pixels in zip(files, [(200, 200), size], strict=True):
        Image.new(mode, pixels).save(file, form, **options)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *files], capture_output=True, text=True, check=True
    )
    said, memory = done.stdout.strip().rsplit("\n", 1)
    return said, float(memory)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["baseline", "colour"])
def test_common_pictures(kind: str, tmp_path: Path) -> None:
    said, memory = peak_megabytes(kind, FIFTY_MILLION, tmp_path)
    assert min(map(int, said.split())) >= 192
    assert memory < MEGABYTES


@pytest.mark.faults
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [FIFTY_MILLION, (4096, 4000)])
def test_pictures_of_all_kinds(kind: str, size: tuple[int, int], tmp_path: Path) -> None:
    said, memory = peak_megabytes(kind, size, tmp_path)
    refused = size == FIFTY_MILLION and kind in ("fine-progressive", "bitmap", "webp")
    assert ("MB of memory" in said) == refused, said
    assert memory < MEGABYTES
