"""Spectra are torchaudio's, frame t is of row t, and company changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from sounds import noise, sweep
from torch import Tensor
from torch.nn.functional import pad
from torchaudio.transforms import MFCC, MelSpectrogram

from seqloom.batch import Padded
from seqloom.errors import ConfigError
from seqloom.testing.samples import pad_loudly
from seqloom_audio import spectra
from seqloom_audio.normalization import CorpusNorm
from seqloom_audio.rows import rows_of
from seqloom_audio.spectra import FLOOR, Analysis, Spectra, pictured

USUAL: dict[str, Any] = {
    "rate_hz": 16_000,
    "hop": 160,
    "window": 400,
    "bins": 80,
    "low_hz": 20.0,
    "high_hz": 8000.0,
}


def layers(**options: Any) -> Spectra:
    return Spectra(Analysis(**USUAL | options))


def rows(seconds: float = 1.0, hop: int = 160, seed: int = 1) -> Tensor:
    sound = torch.from_numpy(0.5 * sweep(seconds) + 0.1 * noise(seconds, seed=seed))
    return rows_of(sound * 32_768, hop)


def alone(part: Spectra, one: Tensor) -> Tensor:
    return part(Padded(one[None], torch.tensor([len(one)]))).values[0]


# Against torchaudio -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hop", "window", "points"), [(160, 400, 512), (128, 512, 512), (200, 300, 512)])
def test_log_mel_is_torchaudios(hop: int, window: int, points: int) -> None:
    given = rows(hop=hop)
    found = alone(layers(hop=hop, window=window), given)
    mel = MelSpectrogram(16_000, points, window, hop, f_min=20, n_mels=80, center=False)
    around = points - hop  # so that frame t is centred on row t
    samples = pad(given.flatten() / 32_768, (around // 2, around - around // 2))
    torch.testing.assert_close(found, mel(samples).clamp(min=FLOOR).log().T, rtol=1e-4, atol=1e-4)


def test_mfcc_is_torchaudios() -> None:
    given = rows()
    found = alone(layers(coefficients=20, bins=40), given)
    options = {
        "n_fft": 512,
        "win_length": 400,
        "hop_length": 160,
        "f_min": 20,
        "n_mels": 40,
        "center": False,
    }
    mfcc = MFCC(16_000, 20, log_mels=True, melkwargs=options)
    samples = pad(given.flatten() / 32_768, (176, 176))
    assert found.shape == (100, 20)
    torch.testing.assert_close(found, mfcc(samples).T, rtol=1e-2, atol=1e-2)  # its floor is another


# Framing ------------------------------------------------------------------------------------------------


def test_a_frame_is_centred_on_its_row() -> None:
    click = torch.zeros(9, 160, dtype=torch.int16)
    click[4, 80] = 20_000
    found = alone(layers(), click)
    assert found.mean(1).argmax() == 4
    torch.testing.assert_close(found, found.flip(0), rtol=1e-3, atol=1e-3)


def test_a_frame_hears_its_window_and_no_more() -> None:
    given = rows(0.2)
    changed = given.clone()
    changed[10] = 9_000
    differs = (alone(layers(), given) != alone(layers(), changed)).any(1)
    assert differs.nonzero().flatten().tolist() == [9, 10, 11]


def test_a_tone_is_where_it_should_be() -> None:
    part = layers()
    time = torch.arange(16_000) / 16_000
    for hertz in (200.0, 1000.0, 5000.0):
        found = alone(part, rows_of(10_000 * torch.sin(2 * torch.pi * hertz * time), 160))
        loudest = int(found[50].argmax())
        assert abs(part.filters[:, loudest].argmax() * 8000 / 256 - hertz) < max(50, hertz / 15)


def test_silence_is_the_floor() -> None:
    found = alone(layers(), torch.zeros(5, 160, dtype=torch.int16))
    assert torch.equal(found, torch.full((5, 80), FLOOR).log())
    assert not alone(layers(normalize="utterance"), torch.zeros(5, 160, dtype=torch.int16)).any()


# Company ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("coefficients", [None, 13])
@pytest.mark.parametrize("normalize", [None, "utterance"])
def test_an_utterance_is_the_same_alone_and_beside_longer_ones(
    coefficients: int | None, normalize: str | None
) -> None:
    part = layers(coefficients=coefficients, normalize=normalize)
    utterances = [rows(seconds, seed=number) for number, seconds in enumerate((0.01, 0.3, 0.05, 1.0))]
    batch = pad_loudly(utterances)
    together = part(batch)
    assert not together.values[~batch.mask()].any()
    for row, utterance in enumerate(utterances):
        found = together.values[row, : len(utterance)]
        torch.testing.assert_close(found, alone(part, utterance), rtol=1e-5, atol=2e-5)


def test_how_many_are_transformed_at_a_time_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = pad_loudly([rows(1.0), rows(0.5)])
    whole = layers()(batch).values
    monkeypatch.setattr(spectra, "TOGETHER", 14)
    torch.testing.assert_close(layers()(batch).values, whole, rtol=1e-5, atol=1e-5)


# Normalisation ------------------------------------------------------------------------------------------


def test_an_utterance_has_mean_zero_and_variance_one() -> None:
    found = alone(layers(normalize="utterance"), rows())
    torch.testing.assert_close(found.mean(0), torch.zeros(80), rtol=0, atol=1e-5)
    torch.testing.assert_close(found.var(0, correction=0), torch.ones(80), rtol=0, atol=1e-3)


def test_loudness_is_normalised_away() -> None:
    loud = rows()
    quiet = (loud / 8).to(torch.int16)
    difference = alone(layers(normalize="utterance"), loud) - alone(layers(normalize="utterance"), quiet)
    assert difference.abs().mean() < 0.01


def test_a_corpus_has_mean_zero_and_variance_one() -> None:
    part = layers()
    batches = [part(pad_loudly([rows(0.5, seed=n), rows(0.2, seed=n + 9)])) for n in range(3)]
    norm = CorpusNorm(80)
    norm.fit(Padded(batch.values + 5 * ~batch.mask()[:, :, None], batch.lengths) for batch in batches)
    found = torch.cat([norm(batch).values[batch.mask()] for batch in batches])
    torch.testing.assert_close(found.mean(0), torch.zeros(80), rtol=0, atol=1e-4)
    torch.testing.assert_close(found.var(0, correction=0), torch.ones(80), rtol=0, atol=1e-3)
    for batch in batches:
        assert not norm(batch).values[~batch.mask()].any()


# Masks --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("normalize", [None, "utterance"])
def test_what_is_masked_is_the_mean_of_its_feature(normalize: str | None) -> None:
    part, given = layers(normalize=normalize), rows(0.3)
    plain = alone(part, given)
    masked = torch.zeros(30, 80, dtype=torch.int16)
    masked[5:9] = 1
    masked[:, 70:72] = 1
    found = alone(part, torch.cat([given, masked], 1))
    wanted = plain.where(masked == 0, plain.mean(0))
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)


# Pictures -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{"bins": 2}, {"bins": 20, "coefficients": 13}])
def test_people_see_more_than_a_model_of_few_numbers(changes: dict[str, Any]) -> None:
    given = Analysis(**USUAL | {"rate_hz": 4000, "low_hz": 300, "high_hz": 1100} | changes)
    part = Spectra(pictured(given))
    assert part.analysis.coefficients is None
    assert 12 < part.analysis.bins < 41
    hiss = 1000 * torch.from_numpy(noise(10.0, 4000))
    levels = part.logarithms(rows_of(hiss, 160)[None])[0].mean(0)
    assert levels.diff().abs().max() < 0.3  # no stripes
    tone = 3000 * torch.sin(2 * torch.pi * 600 * torch.arange(8000) / 4000)
    loudest = part.logarithms(rows_of(tone, 160)[None])[0, 5:-5].argmax(1).unique()
    assert (part.filters[:, loudest].argmax(0) * 4000 / part.points - 600).abs().max() < 30


def test_people_see_as_many_filters_as_a_model_and_nothing_normalised() -> None:
    assert pictured(Analysis(**USUAL, normalize="utterance")) == Analysis(**USUAL)


# What cannot be -----------------------------------------------------------------------------------------


def test_too_many_filters_are_told() -> None:
    with pytest.raises(
        ConfigError, match="128 mel filters from 20 to 8000 Hz are more than a window of 200"
    ):
        layers(bins=128, window=200)
