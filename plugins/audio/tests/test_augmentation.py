"""Each kind of variation does what it says, by its generator alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sounds import noise, sweep, write
from torch import Tensor

from seqloom.drawing import Draw
from seqloom.errors import ConfigError, DataError
from seqloom_audio.augmentation import SoundAugmentation, mixed, sped
from seqloom_audio.masking import Masking
from seqloom_audio.noises import Noises
from seqloom_audio.rows import rows_of

SEEDS = range(40)


def draw(seed: int = 1) -> Draw:
    return Draw(torch.Generator().manual_seed(seed))


def rows(seconds: float = 0.5) -> Tensor:
    return rows_of(torch.from_numpy(sweep(seconds)) * 32_768, 160)


@pytest.fixture
def noises(tmp_path: Path) -> Noises:
    folder = tmp_path / "noises" / "inside"
    folder.mkdir(parents=True)
    write(folder / "long.flac", noise(3.0, 8_000, seed=2), 8_000)
    write(folder / "short.wav", 0.1 * noise(0.1, seed=3))
    (folder / "README.txt").write_text("noise\n")
    return Noises(str(folder.parent), 16_000)


def test_each_varies_by_its_generator_alone(noises: Noises) -> None:
    for augmentation in (
        SoundAugmentation(speeds=(0.9, 1.0, 1.1)),
        SoundAugmentation(noises=noises, snr_db=(0.0, 20.0)),
        SoundAugmentation(speeds=(0.8, 1.2), noises=noises, noise_share=0.5, snr_db=(0.0, 20.0)),
    ):
        given = rows()
        torch.manual_seed(1)
        first = [augmentation(given, draw(seed)) for seed in SEEDS]
        torch.manual_seed(2)
        again = [augmentation(given, draw(seed)) for seed in SEEDS]
        assert torch.equal(given, rows())
        assert all(map(torch.equal, first, again))
        assert all(one.dtype == torch.int16 and one.shape[1] == 160 for one in first)
        assert len({one.numpy().tobytes() for one in first}) > 1


# Speed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.1, 1.25, 2.0])
def test_faster_is_shorter_and_higher(factor: float) -> None:
    time = torch.arange(16_000) / 16_000
    found = sped(torch.sin(2 * torch.pi * 500 * time), factor)
    assert abs(len(found) - 16_000 / factor) <= 1
    loudest = int(torch.fft.rfft(found).abs().argmax()) * 16_000 / len(found)
    assert loudest == pytest.approx(500 * factor, rel=0.01)


def test_speeds_are_those_named() -> None:
    lengths = [len(SoundAugmentation(speeds=(0.8, 1.0, 1.25))(rows(), draw(seed))) for seed in SEEDS]
    assert set(lengths) == {40, 50, 63}
    assert torch.equal(SoundAugmentation(speeds=(1.0,))(rows(), draw()), rows())


# Noise --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("snr_db", [-10.0, 0.0, 15.0])
def test_noise_is_as_loud_as_said(snr_db: float) -> None:
    sound, added = (torch.from_numpy(part).float() for part in (sweep(), noise()))
    both = mixed(1000 * sound, 7 * added, snr_db)
    rest = both - 1000 * sound
    assert 10 * torch.log10((1000 * sound).square().mean() / rest.square().mean()) == pytest.approx(
        snr_db, abs=0.01
    )
    assert torch.corrcoef(torch.stack([rest, added]))[0, 1] > 0.999


def test_silence_stays_silence() -> None:
    silence, added = torch.zeros(100), torch.ones(100)
    assert torch.equal(mixed(silence, added, 5.0), silence)
    assert torch.equal(mixed(added, silence, 5.0), added)


def test_noise_is_from_anywhere_in_any_of_the_recordings(noises: Noises) -> None:
    found = [noises(8_000, draw(seed)) for seed in SEEDS]
    assert {len(one) for one in found} == {8_000}
    loudness = [float(one.abs().max()) for one in found]
    short = [one for one, loud in zip(found, loudness, strict=True) if loud < 3000]
    assert 8 < len(short) < 32
    for one in short:  # repeated: it is of 0.1 s
        assert torch.equal(one[:1600], one[1600:3200])
    assert len({one.numpy().tobytes() for one in found}) == len(found) - len(short) + 1


def test_some_get_noise(noises: Noises) -> None:
    augmentation = SoundAugmentation(noises=noises, noise_share=0.3, snr_db=(0.0, 20.0))
    noisy = sum(not torch.equal(augmentation(rows(), draw(seed)), rows()) for seed in SEEDS)
    assert 5 <= noisy <= 20


def test_what_is_too_loud_is_clipped(noises: Noises) -> None:
    augmentation = SoundAugmentation(noises=noises, snr_db=(-20.0, -20.0))
    found = augmentation(rows(), draw())
    assert (found.min(), found.max()) == (-32_768, 32_767)


def test_a_folder_without_noise_is_told(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(ConfigError, match=rf"augment\.noise: {folder} is no folder with \.wav, "):
            Noises(str(folder), 16_000)(100, draw())


def test_a_folder_is_expanded(noises: Noises, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOISE", noises.folder)
    assert torch.equal(Noises("$NOISE/inside", 16_000)(100, draw()), noises(100, draw()))


def test_broken_noise_is_told_by_name(tmp_path: Path) -> None:
    (tmp_path / "broken.wav").write_bytes(b"hiss")
    with pytest.raises(DataError, match=r"broken\.wav: no WAV"):
        Noises(str(tmp_path), 16_000)(100, draw())


# Masks --------------------------------------------------------------------------------------------------


def runs(masked: Tensor) -> list[int]:
    """How many are masked one after another, of each group of them."""
    edges = np.diff(np.concatenate([[0], masked.numpy().astype(int), [0]]))
    return (np.flatnonzero(edges < 0) - np.flatnonzero(edges > 0)).tolist()


def test_masks_are_spans_of_time_and_frequency() -> None:
    masking = Masking(time_masks=1, time_frames=30, frequency_masks=1, frequency_bins=10)
    times, frequencies = [], []
    for seed in range(300):
        masked = masking(200, 80, draw(seed))
        assert masked.shape == (200, 80)
        over_time, over_frequency = masked.all(1), masked.all(0)
        assert torch.equal(masked, over_time[:, None] | over_frequency)
        assert max(len(runs(over_time)), len(runs(over_frequency))) <= 1
        times += runs(over_time)
        frequencies += runs(over_frequency)
    assert (min(times), max(times)) == (1, 30)
    assert (min(frequencies), max(frequencies)) == (1, 10)


def test_masks_are_anywhere() -> None:
    masking = Masking(time_masks=1, time_frames=5, frequency_masks=1, frequency_bins=3)
    covered = sum(masking(20, 10, draw(seed)).int() for seed in range(300))
    assert covered.min() > 0


def test_a_mask_covers_a_share_at_most() -> None:
    masking = Masking(time_masks=1, time_frames=100, time_share=0.2)
    for frames in (1, 4, 10, 60):
        most = max(int(masking(frames, 8, draw(seed)).all(1).sum()) for seed in range(200))
        assert most == int(0.2 * frames)


def test_there_may_be_several() -> None:
    masking = Masking(frequency_masks=3, frequency_bins=4)
    assert max(len(runs(masking(10, 80, draw(seed)).all(0))) for seed in SEEDS) == 3


def test_masks_wider_than_there_is_are_all_there_is() -> None:
    masking = Masking(time_masks=1, time_frames=100, frequency_masks=1, frequency_bins=100)
    assert any(masking(5, 4, draw(seed)).all() for seed in SEEDS)
