"""An epoch cut into batches, and batches put together to steps of the optimiser."""

import numpy as np

from foldwise.settings.training import Settings
from foldwise.train.feed.draws import occurrence, shuffled, weighted

# Row numbers (B,), and how often each row came before in the epoch (B,).
Rows = tuple[np.ndarray, np.ndarray]


def epoch_steps(
    settings: Settings, epoch: int, keys: np.ndarray, sampling: np.ndarray | None
) -> list[list[Rows]]:
    """Steps of one epoch over rows with content `keys` (N,), each a list of batches.

    Shuffled, or with weights `sampling` (N,) drawn with replacement.
    """
    if sampling is None:
        # Every picture once, then every picture again: a batch holds none twice.
        rounds = np.arange(settings.crops, dtype=np.uint64)
        order = np.concatenate([shuffled(settings.seed, epoch, keys ^ one) for one in rounds])
    else:
        # As many draws as without weights; the remainder leads from a repeat back to its row.
        order = weighted(settings.seed, epoch, np.tile(sampling, settings.crops)) % len(keys)
    cuts = np.arange(settings.batch_size, len(order), settings.batch_size)
    if len(order) % settings.batch_size == 1:
        # Batch normalisation cannot learn from one image: it joins the batch before.
        cuts = cuts[:-1]
    repeats = occurrence(order)
    batches = list(zip(np.split(order, cuts), np.split(repeats, cuts), strict=True))
    # The last step may have fewer batches: `train_step` weights by images, not by batches.
    starts = range(0, len(batches), settings.accumulate)
    return [batches[start : start + settings.accumulate] for start in starts]
