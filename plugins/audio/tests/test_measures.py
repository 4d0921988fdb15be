"""How long, how loud and how clipped recordings are; what a look at a job's data says of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sounds import noise, sweep, write

from seqloom.build import Builder
from seqloom.catalog import Catalog
from seqloom.datacheck import DataReport, check_data
from seqloom.jobfile import load_job
from seqloom_audio.measures import measured
from seqloom_audio.rows import rows_of

JOB = """
task: translation
data:
  train: {file: train.tsv, columns: {source: [path, start, end], target: text}, tags: {speaker: who}}
  valid: {file: valid.tsv, columns: {source: [path, start, end], target: text}, tags: {speaker: who}}
inputs: {source: {name: audio, rate_hz: 8000}}
tokenizers: {target: byte}
model: {width: 16, encoder: {name: transformer}, decoder: {name: transformer}}
"""


def rows(samples: np.ndarray) -> torch.Tensor:
    return rows_of(torch.from_numpy(samples * 32_768), 160)


@pytest.mark.parametrize("count", [1, 159, 160, 161, 16_000, 16_001])
def test_a_duration_is_exact(count: int) -> None:
    seconds, _, _ = measured(rows(np.full(count, 0.1)), 16_000)
    assert seconds == count / 16_000


@pytest.mark.parametrize(("peak", "wanted"), [(1.0, 0.0), (0.5, -6.02), (0.001, -59.9), (0.0, -96.3)])
def test_a_peak_is_of_full_scale(peak: float, wanted: float) -> None:
    for sign in (1, -1):
        _, found, _ = measured(rows(sign * np.array([0.0, peak, 0.0])), 16_000)
        assert found == pytest.approx(wanted, abs=0.1)


def test_clipping_is_a_share_of_samples() -> None:
    loud = np.clip(4 * sweep(), -1, 1)
    full = abs(loud) == 1
    _, _, clipped = measured(rows(loud), 16_000)
    assert clipped == pytest.approx(100 * (full[1:] & full[:-1]).mean(), abs=0.01)
    assert clipped > 20


@pytest.mark.parametrize("hertz", [60, 200, 3000])
def test_a_tone_of_full_scale_is_not_clipped(hertz: float) -> None:
    tone = np.sin(2 * np.pi * hertz * np.arange(16_000) / 16_000)
    assert measured(rows(tone), 16_000)[1:] == (pytest.approx(0, abs=0.01), 0.0)


@pytest.fixture
def look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataReport:
    """The report on a job whose splits have a silent part, clipped recordings, and a speaker in common."""
    monkeypatch.chdir(tmp_path)
    write(Path("talk.flac"), np.concatenate([sweep(1.0, 8000), 0.0005 * noise(0.5, 8000)]), rate=8000)
    write(Path("shouted.wav"), np.clip(3 * sweep(0.6, 8000), -1, 1), rate=8000)
    write(Path("louder.wav"), np.clip(9 * sweep(0.6, 8000), -1, 1), rate=8000)
    train = ["talk.flac\t\t1\ta\tann", "talk.flac\t1\t\tb\tann", "shouted.wav\t\t\tc\tbob"]
    valid = ["louder.wav\t\t\td\tbob", "shouted.wav\t0.1\t0.4\te\tbob", "talk.flac\t0\t0.7\tf\tcid"]
    for name, lines in {"train": train, "valid": valid}.items():
        Path(f"{name}.tsv").write_text("\n".join(["path\tstart\tend\ttext\twho", *lines]))
    Path("job.yaml").write_text(JOB)
    catalog = Catalog.from_environment()
    job = load_job(Path("job.yaml"), catalog)
    return check_data(job, Builder(job.config, catalog))


def test_a_look_at_data_tells_durations_levels_and_speakers(look: DataReport) -> None:
    seconds = [one for one in look.measures if one.measure == "seconds"]
    assert [(one.split, one.inputs, one.least, one.median, one.most) for one in seconds] == [
        ("train", 3, 0.5, 0.6, 1.0),
        ("valid", 3, 0.3, 0.6, 0.7),
    ]
    assert [one.total for one in seconds] == pytest.approx([2.1, 1.6])
    found = {(one.split, one.kind): one for one in look.findings}
    assert set(found) == {
        ("train", "source is nearly silent"),
        ("train", "source is clipped"),
        ("valid", "source is clipped"),
        ("valid", "speaker is in train, too"),
    }
    (silent,) = found["train", "source is nearly silent"].first
    assert silent.endswith("train.tsv:3: talk.flac#t=1,: peak_dbfs -72.25")
    clipped = found["valid", "source is clipped"]
    assert clipped.count == 2
    worst, other = clipped.first
    assert "valid.tsv:2: louder.wav: clipped_percent " in worst
    assert "valid.tsv:3: shouted.wav#t=0.1,0.4: clipped_percent " in other
    shared = found["valid", "speaker is in train, too"]
    assert (shared.count, shared.first[0].rpartition(": ")[2]) == (2, "bob")
