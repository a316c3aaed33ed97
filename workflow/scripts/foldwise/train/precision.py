"""Number types: forward passes in bfloat16 if a run asks for it, losses always in float32."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import nn


def forward_in(precision: str, device: torch.device) -> AbstractContextManager:
    """Autocast to bfloat16, or nothing for float32. bfloat16 has float32's range: no scaler."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


class InFloat32:
    """A criterion on the device that gets float32 and runs outside of autocast."""

    def __init__(self, criterion: Callable[..., Any], device: torch.device) -> None:
        self.device = device
        on_device = isinstance(criterion, nn.Module)
        self.criterion = criterion.to(device) if on_device else criterion

    def begin_epoch(self, epoch: int) -> None:
        """Tell the epoch, from 0, to a criterion that changes over the epochs (has `epoch`)."""
        if hasattr(self.criterion, "epoch"):
            self.criterion.epoch = epoch

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        with torch.autocast(self.device.type, enabled=False):
            return self.criterion(*as_float32(inputs), **as_float32(named))


def as_float32(value: Any) -> Any:
    """Floating tensors as float32, also within tuples, lists and dicts."""
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        return value.float()
    if isinstance(value, dict):
        return {key: as_float32(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(as_float32(item) for item in value)
    return value
