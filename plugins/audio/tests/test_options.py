"""Every option acts: a case for each changes it, and something else comes out; others are refused."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import BaseModel, ValidationError
from sounds import noise, sweep, write

from seqloom.batch import Padded
from seqloom.errors import ConfigError, DataError
from seqloom_audio.build import build
from seqloom_audio.options import AudioOptions

Tree = dict[str, Any]

NOISE: Tree = {"augment": {"noise": "noises", "noise_share": 1.0}}
TIME: Tree = {"augment": {"time_masks": 2, "time_mask_share": 0.5, "time_mask_ms": 300}}
FREQUENCY: Tree = {"augment": {"frequency_masks": 2}}
LOG_MEL: Tree = {"features": {"name": "log_mel"}}
MFCC: Tree = {"features": {"name": "mfcc"}}
CONVOLUTION: Tree = {"frontend": {"name": "convolution"}}
STACK: Tree = {"frontend": {"name": "stack"}}
CASES: list[tuple[str, Any, Tree]] = [  # an option, another value, what else is said
    ("rate_hz", 8_000, {}),
    ("channel", 1, {}),
    ("longest_s", 0.5, {}),
    ("features.name", "mfcc", {}),
    ("features.bins", 40, LOG_MEL),
    ("features.bins", 40, MFCC),
    ("features.window_ms", 20.0, LOG_MEL),
    ("features.hop_ms", 12.5, LOG_MEL),
    ("features.low_hz", 100.0, LOG_MEL),
    ("features.high_hz", 7_000.0, LOG_MEL),
    ("features.coefficients", 20, MFCC),
    ("normalize", "speaker", {}),
    ("normalize", "corpus", {}),
    ("normalize", "none", {}),
    ("compute", "device", {}),
    ("augment.speeds", [0.9, 1.1], {}),
    ("augment.noise", "noises", {}),
    ("augment.noise_share", 0.2, NOISE),
    ("augment.snr_db", [0.0, 1.0], NOISE),
    ("augment.time_masks", 2, {}),
    ("augment.time_mask_ms", 50.0, TIME),
    ("augment.time_mask_share", 0.1, TIME),
    ("augment.frequency_masks", 2, {}),
    ("augment.frequency_mask_bins", 5, FREQUENCY),
    ("frontend.name", "stack", {}),
    ("frontend.channels", 8, CONVOLUTION),
    ("frontend.subsampling", 8, CONVOLUTION),
    ("frontend.frames", 2, STACK),
]


def leaves(model: type[BaseModel], path: str = "") -> Iterator[str]:
    """The dotted keys of a model's values, those of every variant of a section."""
    for name, field in model.model_fields.items():
        kinds = [field.annotation, *typing.get_args(field.annotation)]
        sections = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        if not sections:
            yield path + name
        for section in sections:
            yield from leaves(section, f"{path}{name}.")


def changed(tree: Tree, option: str, value: Any) -> Tree:
    section, _, name = option.rpartition(".")
    return tree | ({section: tree.get(section, {}) | {name: value}} if section else {name: value})


def look(tree: Tree) -> Any:
    """All that follows from options: what is read, how it varies, what a front end makes of it."""
    modality = build(AudioOptions.model_validate(tree))
    try:
        features = modality.read("sound.wav")
    except DataError as error:
        return str(error)
    varied = [modality.present(features, torch.Generator().manual_seed(seed)) for seed in range(4)]
    torch.manual_seed(1)
    frontend = modality.frontend(8, None).eval()
    seen = modality.present(features, None)
    made = frontend(Padded(seen[None], torch.tensor([len(seen)]))).values
    made_of = (features, seen, *varied, made)
    return [one.tolist() for one in made_of], frontend.learns_from_data, modality.pools_by


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("sound.wav"), np.stack([sweep(0.6), noise(0.6)], 1))
    Path("noises").mkdir()
    write(Path("noises/hiss.wav"), noise(0.7, seed=2))


def test_every_option_has_a_case() -> None:
    assert set(leaves(AudioOptions)) == {option for option, _, _ in CASES}


@pytest.mark.parametrize(("option", "value", "base"), CASES, ids=[case[0] for case in CASES])
def test_an_option_acts(option: str, value: Any, base: Tree) -> None:
    before = look(base)
    assert look(base) == before
    assert look(changed(base, option, value)) != before


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"rate_hz": 11_025}, r"features\.hop_ms: 10 ms are 110\.25 samples at 11025 Hz"),
        (
            {"features": {"name": "log_mel", "hop_ms": 0.01}},
            r"features\.hop_ms: 0\.01 ms are 0\.16 samples",
        ),
        ({"features": {"name": "log_mel", "window_ms": 5}}, "window shorter than hop_ms would miss"),
        ({"features": {"name": "log_mel", "high_hz": 9000}}, "filters from 20 to 9000 Hz, of the 8000"),
        ({"features": {"name": "log_mel", "low_hz": 500, "high_hz": 400}}, "filters from 500 to 400 Hz"),
        ({"features": {"name": "log_mel", "coefficients": 13}}, "Extra inputs are not permitted"),
        ({"features": {"name": "mfcc", "coefficients": 90}}, "there are at most as many as bins"),
        (MFCC | FREQUENCY, r"augment\.frequency_masks is for log_mel"),
        ({"augment": {"snr_db": [20, 5]}}, r"augment\.snr_db: the lower number comes first"),
        ({"augment": {"speeds": [0.1]}}, "greater than or equal to 0.5"),
        ({"channel": 8}, "less than 8"),
        ({"channel": "left"}, "'mix'"),
        ({"rate_hz": 400_000}, "less than or equal to 384000"),
        ({"frontend": {"name": "convolution", "subsampling": 3}}, "2, 4 or 8"),
        ({"frontend": {"name": "lines"}}, "'convolution', 'stack'"),
    ],
)
def test_what_makes_no_sense_is_refused(tree: Tree, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        AudioOptions.model_validate(tree)


def test_filters_that_no_window_can_tell_apart_are_refused_at_once() -> None:
    with pytest.raises(ConfigError, match="300 mel filters"):
        build(AudioOptions.model_validate({"features": {"name": "log_mel", "bins": 300}}))


def test_a_saved_job_says_the_same() -> None:
    for tree in ({}, NOISE, TIME, MFCC, STACK, {"augment": {"speeds": [0.9, 1.1]}}):
        options = AudioOptions.model_validate(tree)
        assert AudioOptions.model_validate_json(options.model_dump_json(), strict=True) == options
