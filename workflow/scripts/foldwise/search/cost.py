"""What a model costs: parameters, multiply-adds and measured milliseconds a sample."""

import statistics
import time
from collections.abc import Callable

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

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
                torch.cuda.synchronize(device)
            times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times[1:]) / samples
