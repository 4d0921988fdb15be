"""Which device and which dtype, and why?"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import torch

from seqloom.errors import ConfigError, unknown_name

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
DEVICES = ("auto", "cpu", "cuda")
DTYPES = ("auto", *_DTYPES)


class Device(NamedTuple):
    """Where and in what to compute.

    Attributes:
        device: ``cpu`` or ``cuda:0``.
        dtype: What matrix products compute in; weights stay in fp32.
        reason: Why these, for people and for the run's record.
    """

    device: torch.device
    dtype: torch.dtype
    reason: str

    @property
    def is_gpu(self) -> bool:
        """Whether the device has memory of its own."""
        return self.device.type == "cuda"

    def autocast(self) -> AbstractContextManager[Any]:
        """The context to run a model in."""
        if self.dtype == torch.float32:
            return nullcontext()
        return torch.autocast(self.device.type, self.dtype)


def choose_device(device: str = "auto", dtype: str = "auto", number: int | None = None) -> Device:
    """Chooses what a job asks for, or explains why it cannot be had.

    Args:
        device: auto, cpu or cuda.
        dtype: auto, fp32, bf16 or fp16.
        number: Which of several GPUs; None for the one in use.

    Raises:
        ConfigError: A GPU, or a dtype, that is not there, or a name of neither.
    """
    if device not in DEVICES:
        raise ConfigError(unknown_name("device", device, DEVICES))
    if dtype not in DTYPES:
        raise ConfigError(unknown_name("dtype", dtype, DTYPES))
    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigError(f"device: cuda was asked for, but {_why_no_gpu()}; use device: cpu or auto")
    if device == "cpu" or not torch.cuda.is_available():
        place = torch.device("cpu")
        why = "asked for" if device == "cpu" else _why_no_gpu()
    else:
        place = torch.device("cuda", _gpu(number))
        why = torch.cuda.get_device_name(place) + (", asked for" if device == "cuda" else ", found")
    kind, kind_reason = _choose_dtype(place, dtype)
    name = next(name for name, value in _DTYPES.items() if value == kind)
    return Device(place, kind, f"{place} ({why}), {name} ({kind_reason})")


def _gpu(number: int | None) -> int:
    count = torch.cuda.device_count()
    if number is not None and number >= count:
        raise ConfigError(
            f"process {number} of this machine has no GPU, as there are only {count}; "
            "start one process for each GPU, or set device: cpu"
        )
    return torch.cuda.current_device() if number is None else number


def _why_no_gpu() -> str:
    if torch.version.cuda is None and torch.version.hip is None:
        return "this build of torch has no GPU support"
    return "torch finds no GPU"


def _choose_dtype(place: torch.device, dtype: str) -> tuple[torch.dtype, str]:
    has_bf16 = place.type == "cpu" or torch.cuda.is_bf16_supported(including_emulation=False)
    if dtype == "auto":
        if place.type == "cpu":
            return torch.float32, "the default on a CPU"
        return (torch.bfloat16, "the GPU has it") if has_bf16 else (torch.float32, "the GPU has no bf16")
    if dtype == "bf16" and not has_bf16:
        raise ConfigError("dtype: bf16 was asked for, but the GPU has none; use fp16, fp32 or auto")
    if dtype == "fp16" and place.type == "cpu":
        raise ConfigError("dtype: fp16 was asked for, but only a GPU has it; use bf16, fp32 or auto")
    return _DTYPES[dtype], "asked for"
