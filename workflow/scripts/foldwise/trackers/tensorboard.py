"""TensorBoard: event files in the fold's folder, shown by `tensorboard --logdir results`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter


class TensorBoard:
    """Scalars of each epoch and the settings with the kept metrics at the end."""

    def __init__(
        self, folder: Path, study: str, run: str, fold: int, settings: Mapping[str, Any]
    ) -> None:
        self.writer = SummaryWriter(str(Path(folder) / "tensorboard"))
        # What add_hparams takes; anything else would raise.
        accepted = (str, int, float, bool)
        self.settings = {
            key: value if isinstance(value, accepted) else str(value)
            for key, value in settings.items()
        }

    def epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """One point a metric."""
        for name, value in metrics.items():
            self.writer.add_scalar(name, value, epoch)
        # A job may be killed at any time: what is told is then already there to be seen.
        self.writer.flush()

    def end(self, summary: Mapping[str, float]) -> None:
        """The settings and the metrics that they led to."""
        kept = {f"kept/{name}": value for name, value in summary.items()}
        # Else a folder named by the time is made beside the curves, and shown as another run.
        self.writer.add_hparams(self.settings, kept, run_name=".")
        self.writer.close()
