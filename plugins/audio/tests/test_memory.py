"""Long recordings take little more memory than the samples that come of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

SECONDS = 600
MEGABYTES = SECONDS * 16_000 * 2 / 1e6
MEASURE = """
import re, sys
from pathlib import Path
from seqloom_audio.reading import read_sound

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1000

read_sound(f"{sys.argv[1]}#t=0,1", 16_000)  # what is loaded to read this format
Path("/proc/self/clear_refs").write_text("5")
before = peak()
print(len(read_sound(sys.argv[1], 16_000)))
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured as Linux tells it")
@pytest.mark.parametrize("kind", ["flac", "wav"])
def test_ten_minutes(kind: str, tmp_path: Path) -> None:
    file = tmp_path / f"long.{kind}"
    soundfile.write(file, np.zeros((SECONDS * 48_000, 2), np.int16), 48_000)
    done = subprocess.run([sys.executable, "-c", MEASURE, file], capture_output=True, text=True, check=True)
    samples, memory = done.stdout.split()
    assert int(samples) == SECONDS * 16_000
    assert float(memory) < 3 * MEGABYTES + 40
