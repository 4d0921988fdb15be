"""Every option acts: a case for each changes it, and something else comes out; others are refused."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import BaseModel, ValidationError
from safetensors.torch import save_file
from samples import encoded, picture
from torchvision.models import get_model

from seqloom.batch import Padded
from seqloom_vision.build import build
from seqloom_vision.options import ImageOptions

Tree = dict[str, Any]

LINES: Tree = {"size": 16, "frontend": {"name": "lines", "channels": [8, 16], "subsampling": 2}}
BACKBONE: Tree = {"size": 64, "frontend": {"name": "torchvision", "backbone": "squeezenet1_1"}}
CASES: list[tuple[str, Any, Tree]] = [  # an option, another value, what else is said
    ("size", 40, {}),
    ("fit", "pad", {}),
    ("augment.crop", 0.5, {}),
    ("augment.flip", True, {}),
    ("augment.brightness", 0.5, {}),
    ("augment.contrast", 0.5, {}),
    ("augment.contrast", 0.5, LINES),
    ("augment.saturation", 0.5, {}),
    ("augment.hue", 0.5, {}),
    ("augment.operations", 2, {}),
    ("augment.magnitude", 30, {"augment": {"operations": 2}}),
    ("augment.shear", 20.0, LINES),
    ("augment.stretch", 0.3, LINES),
    ("augment.blur", 2.0, LINES),
    ("augment.noise", 0.3, LINES),
    ("frontend.name", "patches", {}),
    ("frontend.channels", [8, 8], {"frontend": {"name": "cnn", "channels": [8, 16]}}),
    ("frontend.channels", [8, 8], LINES),
    ("frontend.blocks", 0, {"frontend": {"name": "cnn", "channels": [8]}}),
    ("frontend.blocks", 2, LINES),
    ("frontend.patch", 8, {"frontend": {"name": "patches"}}),
    ("frontend.backbone", "mobilenet_v3_small", BACKBONE),
    ("frontend.weights", "weights.safetensors", BACKBONE),
    ("frontend.train", "last", BACKBONE),
    ("frontend.subsampling", 4, LINES),
    ("frontend.ink", "light", LINES),
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
    modality = build(ImageOptions.model_validate({"size": 32} | tree))
    features = modality.read("picture.png")
    varied = [modality.augment(features, torch.Generator().manual_seed(seed)) for seed in range(4)]
    torch.manual_seed(1)
    frontend = modality.frontend(8, None).eval()
    frontend.load_pretrained()
    made = frontend(Padded(features[None], torch.tensor([len(features)]))).values
    learning = [name for name, parameter in frontend.named_parameters() if parameter.requires_grad]
    return [one.tolist() for one in (features, *varied, made)], learning


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("picture.png").write_bytes(encoded(picture(90, 60), "PNG"))
    torch.manual_seed(2)
    save_file(get_model("squeezenet1_1").state_dict(), "weights.safetensors")


def test_every_option_has_a_case() -> None:
    assert set(leaves(ImageOptions)) == {option for option, _, _ in CASES}


@pytest.mark.parametrize(("option", "value", "base"), CASES, ids=[case[0] for case in CASES])
def test_an_option_acts(option: str, value: Any, base: Tree) -> None:
    before = look(base)
    assert look(base) == before
    assert look(changed(base, option, value)) != before


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"fit": "pad", "frontend": {"name": "lines"}}, "fit: pad is for whole pictures"),
        ({"augment": {"flip": True}, "frontend": {"name": "lines"}}, "augment.flip is for whole pictures"),
        ({"augment": {"crop": 0.5}, "frontend": {"name": "lines"}}, "augment.crop is for whole pictures"),
        ({"augment": {"shear": 3}}, "augment.shear is for lines"),
        ({"augment": {"noise": 0.1}, "frontend": {"name": "blank"}}, "augment.noise is for lines"),
        ({"frontend": {"name": "cnn", "channels": [12]}}, "multiple of 8"),
        ({"frontend": {"name": "cnn", "channels": []}}, "at least 1 item"),
        ({"frontend": {"name": "resnet"}}, "'cnn', 'patches', 'torchvision', 'lines', 'blank'"),
        ({"frontend": {"name": "blank", "channels": [8]}}, "Extra inputs are not permitted"),
    ],
)
def test_what_makes_no_sense_is_refused(tree: Tree, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ImageOptions.model_validate(tree)


def test_a_saved_job_says_the_same() -> None:
    for tree in ({}, LINES, BACKBONE, {"frontend": {"name": "blank"}}):
        options = ImageOptions.model_validate(tree)
        assert ImageOptions.model_validate_json(options.model_dump_json(), strict=True) == options
