"""Number types: forward passes in bfloat16 if a run asks for it, losses always in float32."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import nn


def forward_in(precision: str, device: torch.device) -> AbstractContextManager:
    """Autocast to bfloat16, or nothing for float32. bfloat16 has float32's range: no scaler."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


def in_float32(criterion: Callable[..., Any], device: torch.device) -> Callable[..., Any]:
    """The criterion on the device, with its inputs made float32 and autocast off inside."""
    if isinstance(criterion, nn.Module):
        criterion = criterion.to(device)

    def full(*inputs: Any, **named: Any) -> Any:
        with torch.autocast(device.type, enabled=False):
            return criterion(*as_float32(inputs), **as_float32(named))

    return full


def as_float32(value: Any) -> Any:
    """Floating tensors as float32, also within tuples, lists and dicts."""
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        return value.float()
    if isinstance(value, dict):
        return {key: as_float32(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(as_float32(item) for item in value)
    return value
