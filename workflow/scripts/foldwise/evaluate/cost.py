"""What a model costs: parameters, multiply-adds and measured milliseconds a sample."""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

# Odd, so that the median is a time that was measured.
REPEATS = 7


def parameters(model: nn.Module) -> int:
    """Trained and frozen parameters together: all of them are kept and run."""
    return sum(parameter.numel() for parameter in model.parameters())


def multiply_adds(forward: Callable[[], object], samples: int) -> float:
    """Multiply-adds a sample of `forward`, which runs `samples` samples.

    Half of what torch.utils.flop_counter counts: matrix products, convolutions and attention.
    """
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        forward()
    # A multiply-add is counted there as two operations.
    return counter.get_total_flops() / 2 / samples


def milliseconds(forward: Callable[[], object], samples: int, device: torch.device) -> float:
    """Median time a sample over repeated runs, after one that is not counted.

    A measurement: it differs from run to run, so a search with it as objective repeats only from
    the same trial files.
    """
    times = []
    with torch.inference_mode():
        for _ in range(REPEATS + 1):
            start = time.perf_counter()
            forward()
            if device.type == "cuda":
                # A GPU's work is only queued when the call returns.
                torch.cuda.synchronize(device)
            times.append(time.perf_counter() - start)
    # The first run chooses algorithms and takes memory; one that was interrupted moves no median.
    return 1000 * statistics.median(times[1:]) / samples


def costs(
    wanted: Sequence[str],
    model: nn.Module,
    predict: Callable[[nn.Module, dict[str, torch.Tensor]], Any],
    batch: dict[str, torch.Tensor],
) -> dict[str, float]:
    """Those of the costs that are `wanted`, by name, of predicting `batch` (image B first)."""
    samples, device = len(batch["image"]), batch["image"].device

    def forward() -> Any:
        return predict(model, batch)

    made: dict[str, Callable[[], float]] = {
        "parameters": lambda: float(parameters(model)),
        "multiply_adds": lambda: multiply_adds(forward, samples),
        "milliseconds": lambda: milliseconds(forward, samples, device),
    }
    model.eval()
    return {name: made[name]() for name in wanted if name in made}
