"""What a step brings to the device, without waiting for what the device was told before."""

from typing import Any

import numpy as np
import torch


def sent(values: np.ndarray, device: torch.device, dtype: torch.dtype | None = None) -> Any:
    """An array on the device, in the order of what it is told.

    To copy without `non_blocking` is to wait for the end of all that a GPU has to compute, so that
    it would stand still while the next step is prepared. What is not pinned is copied before the
    call returns; on a CPU nothing is copied, and the array must stay as it is.
    """
    return torch.from_numpy(values).to(device, dtype, non_blocking=True)
