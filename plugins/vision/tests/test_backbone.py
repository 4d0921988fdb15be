"""torchvision's networks give what they would classify by; some of their layers learn, or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision.models import get_model, get_model_weights, list_models

from seqloom.batch import Padded
from seqloom.errors import ConfigError
from seqloom_vision.frontends.backbone import Backbone
from seqloom_vision.frontends.grid import GridFrontend
from seqloom_vision.frontends.networks import NO_CHAINS, Chain, Tokens, network

SMALL = "mobilenet_v3_small"


def seeded(make: Callable[..., nn.Module], *arguments: Any, **options: Any) -> Any:
    torch.manual_seed(1)
    return make(*arguments, **options)


def pictures(size: int, count: int = 2) -> Tensor:
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(count))


# Chains -------------------------------------------------------------------------------------------------

ENDS: dict[str, Callable[[Any, Tensor], Tensor]] = {
    "resnet18": lambda model, grid: model.fc(grid.mean((2, 3))),
    "squeezenet1_1": lambda model, grid: model.classifier(grid).flatten(1),
    "mobilenet_v3_small": lambda model, grid: model.classifier(grid.mean((2, 3))),
    "shufflenet_v2_x0_5": lambda model, grid: model.fc(grid.mean((2, 3))),
}
MORE_ENDS: dict[str, Callable[[Any, Tensor], Tensor]] = {
    "alexnet": lambda model, grid: model.classifier(model.avgpool(grid).flatten(1)),
    "vgg11_bn": lambda model, grid: model.classifier(model.avgpool(grid).flatten(1)),
    "mobilenet_v2": lambda model, grid: model.classifier(grid.mean((2, 3))),
    "mnasnet0_5": lambda model, grid: model.classifier(grid.mean((2, 3))),
    "densenet121": lambda model, grid: model.classifier(grid.mean((2, 3))),
    "efficientnet_b0": lambda model, grid: model.classifier(grid.mean((2, 3))),
    "regnet_y_400mf": lambda model, grid: model.fc(grid.mean((2, 3))),
    "convnext_tiny": lambda model, grid: model.classifier(model.avgpool(grid)),
    "swin_t": lambda model, grid: model.head(grid.mean((2, 3))),
    "swin_v2_t": lambda model, grid: model.head(grid.mean((2, 3))),
    "maxvit_t": lambda model, grid: model.classifier(grid),
    "wide_resnet50_2": lambda model, grid: model.fc(grid.mean((2, 3))),
}


def check_chain(name: str, end: Callable[[Any, Tensor], Tensor]) -> None:
    model = seeded(get_model, name).eval()
    chain = Chain(model, 224).eval()
    with torch.inference_mode():
        grid = chain(pictures(224))
        torch.testing.assert_close(end(model, grid), model(pictures(224)))
    assert grid.shape == (2, chain.channels, *chain.shape)


@pytest.mark.parametrize("name", ENDS)
def test_a_chain_gives_what_is_classified(name: str) -> None:
    check_chain(name, ENDS[name])


@pytest.mark.faults
@pytest.mark.parametrize("name", MORE_ENDS)
def test_a_chain_of_each_family_gives_what_is_classified(name: str) -> None:
    check_chain(name, MORE_ENDS[name])


@pytest.mark.slow
def test_tokens_are_those_of_the_classifier() -> None:
    model = seeded(get_model, "vit_b_32", image_size=64).eval()
    tokens = Tokens(model)
    seen: list[Tensor] = []
    model.encoder.ln.register_forward_hook(lambda module, given, made: seen.append(made))
    with torch.inference_mode():
        model(pictures(64))
        grid = tokens(pictures(64))
    assert grid.shape == (2, 768, *tokens.shape)
    assert tokens.shape == (2, 2)
    torch.testing.assert_close(grid.flatten(2).transpose(1, 2), seen[0][:, 1:])
    before, last = tokens.pieces()
    assert [type(piece).__name__ for piece in last] == ["EncoderBlock"] * 3 + ["LayerNorm"]
    assert len(before) == 1 + 9


@pytest.mark.faults
@pytest.mark.parametrize(
    "name", [name for name in list_models(module=torchvision.models) if name not in NO_CHAINS]
)
def test_each_network_of_torchvisions_is_one(name: str) -> None:
    parameters = getattr(get_model_weights(name), "DEFAULT").meta["num_params"]  # noqa: B009 - an enum has it
    if parameters > 100e6:
        pytest.skip("too large for small machines")
    size = 224
    made = network(name, size)
    before, last = made.pieces()
    assert any(True for piece in last for _ in piece.parameters())
    assert before
    assert min(made.shape) >= 1


@pytest.mark.parametrize(("name", "message"), [
    ("resnet19", "no backbone 'resnet19' among torchvision's. Did you mean 'resnet18'?"),
    ("googlenet", "no backbone 'googlenet'"),
    ("maskrcnn_resnet50_fpn", "no backbone"),
])  # fmt: skip
def test_other_names_are_refused(name: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        network(name, 224)
    assert message in str(raised.value)


@pytest.mark.parametrize(("name", "size"), [("vit_b_32", 100), ("maxvit_t", 128), ("alexnet", 20)])
def test_sizes_that_a_network_cannot_take_are_told(name: str, size: int) -> None:
    with pytest.raises(ConfigError, match=f"{name} does not take pictures of {size} × {size} pixels"):
        network(name, size)


# Learning -----------------------------------------------------------------------------------------------


def learning(trunk: Backbone) -> Iterator[str]:
    return (name for name, parameter in trunk.named_parameters() if parameter.requires_grad)


def test_all_learn_unless_told_otherwise() -> None:
    trunk = Backbone("resnet18", 64).train()
    assert set(learning(trunk)) == {name for name, _ in trunk.named_parameters()}
    assert all(module.training for module in trunk.modules())


def test_the_last_stage_learns() -> None:
    trunk = Backbone("resnet18", 64, learning="last").train()
    assert set(learning(trunk)) == {n for n, _ in trunk.named_parameters() if "layer4" in n}
    assert trunk.network.layer4.training
    assert not trunk.network.bn1.training
    assert not trunk.network.layer3[0].bn1.training
    assert not trunk.eval().network.layer4.training


def test_a_last_stage_without_weights_is_not_the_last() -> None:
    trunk = Backbone("squeezenet1_1", 64, learning="last")
    assert {name.split(".")[2] for name in learning(trunk)} == {"9", "10", "11", "12"}


@pytest.mark.parametrize("choice", ["frozen", "last"])
def test_what_is_frozen_never_changes(choice: Any) -> None:
    frontend = GridFrontend(seeded(Backbone, SMALL, 64, learning=choice), 8).train()
    frozen = {
        name: tensor.clone()
        for name, tensor in frontend.state_dict().items()
        if name.startswith("trunk.network.features.0.")
    }
    optimizer = torch.optim.SGD(
        [p for p in frontend.parameters() if p.requires_grad], lr=0.1, weight_decay=0.1
    )
    batch = Padded(
        torch.randint(256, (3, 1, 3, 64, 64), dtype=torch.uint8), torch.ones(3, dtype=torch.int64)
    )
    for _ in range(2):
        frontend(batch).values.square().sum().backward()
        optimizer.step()
    assert frozen
    assert all(torch.equal(tensor, frontend.state_dict()[name]) for name, tensor in frozen.items())
    assert "trunk.network.features.0.1.running_mean" in frozen


# Weights ------------------------------------------------------------------------------------------------


def saved(tmp_path: Path, name: str, **options: Any) -> tuple[str, nn.Module]:
    """A file of random weights with a classifier, and their model."""
    model = seeded(get_model, name, **options)
    save_file(model.state_dict(), tmp_path / "weights.safetensors")
    return str(tmp_path / "weights.safetensors"), model


def assert_taken(trunk: Backbone, model: nn.Module) -> None:
    wanted = model.state_dict()
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in trunk.network.state_dict().items())


def test_weights_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, model = saved(tmp_path, SMALL)
    monkeypatch.setenv("MODELS", str(tmp_path))
    for given in (file, "$MODELS/weights.safetensors"):
        torch.manual_seed(2)
        trunk = Backbone(SMALL, 64, given)
        assert not torch.equal(trunk.network.features[0][0].weight, model.features[0][0].weight)  # type: ignore[index, union-attr]
        GridFrontend(trunk, 8).load_pretrained()
        assert_taken(trunk, model)


def test_without_weights_nothing_is_taken() -> None:
    trunk = seeded(Backbone, SMALL, 64)
    before = {name: tensor.clone() for name, tensor in trunk.state_dict().items()}
    trunk.load_pretrained()
    assert all(torch.equal(tensor, trunk.state_dict()[name]) for name, tensor in before.items())


@pytest.mark.slow
def test_positions_of_tokens_fit_another_size(tmp_path: Path) -> None:
    file, model = saved(tmp_path, "vit_b_32", image_size=128)
    trunk = Backbone("vit_b_32", 64, file)
    trunk.load_pretrained()
    assert torch.equal(trunk.network.class_token, model.class_token)
    assert trunk.network.encoder.pos_embedding.shape == (1, 5, 768)
    corners = trunk.network.encoder.pos_embedding[0, 1:]
    assert torch.equal(corners[0], model.encoder.pos_embedding[0, 1])  # type: ignore[index, union-attr]


def test_weights_of_another_network_are_told(tmp_path: Path) -> None:
    file, _ = saved(tmp_path, "squeezenet1_1")
    with pytest.raises(ConfigError, match=r"these are no weights of mobilenet_v3_small: look at features"):
        Backbone(SMALL, 64, file).load_pretrained()
    file, _ = saved(tmp_path, "shufflenet_v2_x1_0")
    with pytest.raises(ConfigError, match=r"these are no weights of shufflenet_v2_x0_5: look at stage2"):
        Backbone("shufflenet_v2_x0_5", 64, file).load_pretrained()
    save_file({"other": torch.zeros(1)}, file)
    with pytest.raises(ConfigError, match=r"these are no weights of vit_b_32"):
        Backbone("vit_b_32", 32, file).load_pretrained()


@pytest.mark.parametrize("content", [None, b"", b"no weights", (2**60).to_bytes(8, "little") + b"{}"])
def test_a_file_that_holds_none_is_told(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "weights.safetensors"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"weights\.safetensors: cannot be read as weights"):
        Backbone(SMALL, 64, str(file)).load_pretrained()


@pytest.mark.parametrize("name", ["weights.pth", "IMAGENET1K_V9"])
def test_other_names_of_weights_are_refused(name: str) -> None:
    with pytest.raises(
        ConfigError, match=f"no weights of {SMALL} '{name}'; there are: DEFAULT, IMAGENET1K_V1"
    ):
        Backbone(SMALL, 64, name).load_pretrained()


def test_torchvision_loads_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    model = seeded(get_model, SMALL)
    file = folder / Path(get_model_weights(SMALL)["DEFAULT"].url).name
    torch.save(model.state_dict(), file)  # as if it had been downloaded
    trunk = Backbone(SMALL, 64, "DEFAULT")
    trunk.load_pretrained()
    assert_taken(trunk, model)
    file.write_bytes(b"broken")
    with pytest.raises(ConfigError, match=f"torchvision cannot get DEFAULT of {SMALL}"):
        trunk.load_pretrained()
