"""Weights & Biases, offline unless the user's own WANDB_MODE says otherwise.

Only settings and metrics are told: not the machine, the code, the command or the console.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import wandb


class Wandb:
    """A W&B run a fold; `wandb sync` sends offline runs later."""

    def __init__(
        self, folder: Path, study: str, run: str, fold: int, settings: Mapping[str, Any]
    ) -> None:
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        self.run = wandb.init(
            project=study,
            group=run,
            name=f"{run}_fold_{fold}",
            config=dict(settings),
            dir=str(place),
            # Nodes often have no network, and nothing leaves a hospital by a default.
            mode=os.environ.get("WANDB_MODE", "offline"),
            settings=wandb.Settings(
                console="off",
                disable_code=True,
                disable_git=True,
                email="",
                # Left empty, W&B fills in the machine's own.
                host="hidden",
                save_code=False,
                silent=True,
                username="hidden",
                x_disable_machine_info=True,
                x_disable_meta=True,
                x_disable_stats=True,
                x_save_requirements=False,
            ),
        )

    def epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """One step an epoch."""
        self.run.log(dict(metrics), step=epoch)

    def end(self, summary: Mapping[str, float]) -> None:
        """The kept metrics as the run's summary."""
        self.run.summary.update(dict(summary))
        self.run.finish()
