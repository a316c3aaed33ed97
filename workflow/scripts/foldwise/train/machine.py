"""What training repeats exactly under: threads, number type, memory format, deterministic code."""

import ctypes
import functools
import os
from typing import Any

from foldwise.train.process.gpus import places, take

VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")

# Of glibc's mallopt (malloc.h), with bytes: from which size on a block is mapped alone (it takes 32
# MiB at most), and how much free memory it keeps at the heap's end.
M_MMAP_THRESHOLD, M_TRIM_THRESHOLD = (-3, 32 << 20), (-1, 1 << 30)


def set_threads(number: int) -> None:
    """Give a job its own number of CPU threads. Call it before anything imports torch or numpy.

    Jobs side by side that each take all cores run at half the speed (measured), and sums over
    another number of threads end in other last bits.
    """
    for name in VARIABLES:
        os.environ[name] = str(number)
    # cuBLAS repeats its sums only with workspaces of a fixed size: NVIDIA's 8 of 4,096 KiB.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    import torch

    torch.set_num_threads(number)


def keep_freed_memory() -> None:
    """Have the C library keep what a step frees for the next one, as long as this process lives.

    glibc gives it back to the system, which clears each page anew when it is asked for again: up to
    a fifth of the CPU time of training a small network. Other C libraries are left as they are.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    for option, value in (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD):
        mallopt(option, value)


@functools.cache
def device() -> Any:
    """The GPU that this job may use, if any, else the CPU; of several that it sees, one (`take`).

    Which one is written nowhere: no result may hang on it.
    """
    import torch

    if not torch.cuda.is_available():
        return torch.device("cpu")
    seen = range(torch.cuda.device_count())
    if len(seen) == 1:
        return torch.device("cuda")
    names = [str(torch.cuda.get_device_properties(index).uuid) for index in seen]
    index = take(names, places())
    torch.cuda.set_device(index)  # Pinned memory belongs to the current device.
    return torch.device("cuda", index)


def make_deterministic(device: Any) -> None:
    """Refuse algorithms whose result depends on timing; on a GPU some have no other: warn."""
    import torch

    # What use_deterministic_algorithms does, which imports torch's compiler on top: seconds a job.
    torch.set_deterministic_debug_mode("warn" if device.type == "cuda" else "error")
    # Filling fresh memory guards against reading it uninitialised and costs up to 8 %.
    torch.utils.deterministic.fill_uninitialized_memory = False
    # It would choose algorithms by timing them: another run, another choice, other last bits.
    torch.backends.cudnn.benchmark = False


def seed(number: int, device: Any) -> None:
    """Begin the device's random numbers anew, as `torch.manual_seed` does of all devices.

    Of those that are not there it keeps a note of each call with its whole stack, for the day that
    they are: a millisecond and some memory a step.
    """
    import torch

    torch.default_generator.manual_seed(number)
    if device.type == "cuda":
        torch.cuda.manual_seed(number)


def environment(device: Any, precision: str) -> dict[str, Any]:
    """The five things that decide the last bits of a run on a CPU, and the device."""
    import torch

    cuda = device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name(device) if cuda else "cpu",
        "threads": torch.get_num_threads(),
        "memory_format": "channels_last",
        "number_type": precision,
        "instruction_set": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
    }
