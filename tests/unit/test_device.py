"""The device that was asked for, or an error; the reason always said."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from seqloom.device import choose_device
from seqloom.errors import ConfigError

without_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")


@without_gpu
def test_cuda_without_a_gpu_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"cuda was asked for, but .*; use device: cpu or auto"):
        choose_device("cuda")


@without_gpu
def test_auto_says_why_it_is_the_cpu() -> None:
    chosen = choose_device("auto", "auto")
    assert chosen.device.type == "cpu"
    assert chosen.dtype == torch.float32
    assert "GPU" in chosen.reason
    assert "fp32 (the default on a CPU)" in chosen.reason


def test_cpu_is_had_for_the_asking() -> None:
    chosen = choose_device("cpu", "bf16")
    assert not chosen.is_gpu
    assert chosen.reason == "cpu (asked for), bf16 (asked for)"


def test_fp16_needs_a_gpu() -> None:
    with pytest.raises(ConfigError, match="fp16 was asked for, but only a GPU has it"):
        choose_device("cpu", "fp16")


@pytest.mark.parametrize(("dtype", "wanted"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_products_are_computed_in_the_dtype(dtype: str, wanted: torch.dtype) -> None:
    with choose_device("cpu", dtype).autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == wanted


# What is chosen where there is a GPU; tests/gpu computes on a real one. -----------------------------------


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """``gpu(True)``: torch says that it has found a GPU, with bf16."""

    def found(has_bf16: bool) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda place: f"GPU of {place}")
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: has_bf16)

    return found


@pytest.mark.parametrize(
    ("asked", "has_bf16", "reason"),
    [
        (("auto", "auto"), True, "cuda:0 (GPU of cuda:0, found), bf16 (the GPU has it)"),
        (("auto", "auto"), False, "cuda:0 (GPU of cuda:0, found), fp32 (the GPU has no bf16)"),
        (("cuda", "fp16"), False, "cuda:0 (GPU of cuda:0, asked for), fp16 (asked for)"),
        (("cpu", "auto"), True, "cpu (asked for), fp32 (the default on a CPU)"),
    ],
)
def test_a_gpu_is_used_unless_the_cpu_is_asked_for(
    gpu: Callable[[bool], None], asked: tuple[str, str], has_bf16: bool, reason: str
) -> None:
    gpu(has_bf16)
    chosen = choose_device(*asked)
    assert chosen.reason == reason
    assert chosen.is_gpu == reason.startswith("cuda")


def test_each_process_of_a_machine_has_a_gpu_of_its_own(
    gpu: Callable[[bool], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu(True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device("auto", "auto", 1).device == torch.device("cuda", 1)
    with pytest.raises(
        ConfigError, match=r"process 2 of this machine has no GPU, as there are only 2; start"
    ):
        choose_device("auto", "auto", 2)


def test_bf16_is_refused_where_the_gpu_has_none(gpu: Callable[[bool], None]) -> None:
    gpu(False)
    with pytest.raises(
        ConfigError, match="bf16 was asked for, but the GPU has none; use fp16, fp32 or auto"
    ):
        choose_device("cuda", "bf16")


def test_a_build_without_gpu_support_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.version, "hip", None)
    assert choose_device().reason.startswith("cpu (this build of torch has no GPU support)")


@pytest.mark.parametrize(("device", "dtype"), [("tpu", "auto"), ("cuda:0", "auto"), ("cpu", "fp8")])
def test_a_name_that_means_nothing_is_refused(device: str, dtype: str) -> None:
    with pytest.raises(ConfigError, match=r"no (device|dtype) '.*'; there are: auto, "):
        choose_device(device, dtype)
