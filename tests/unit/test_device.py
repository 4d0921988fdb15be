"""The device that was asked for, or an error; the reason always said."""

from __future__ import annotations

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
