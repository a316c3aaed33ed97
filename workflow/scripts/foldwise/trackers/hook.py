"""The training loop's `on_epoch` for a tracker; it never ends a training."""

from pathlib import Path
from typing import Any

from foldwise.registry import load
from foldwise.settings.changes import dotted
from foldwise.settings.study import RUN_BRANCHES
from foldwise.trackers.base import Tolerant


class FoldTracker:
    """Tells a tracker each epoch of one fold; with the name `none` it does nothing.

    The tracker is named in config/config.yaml and not in the study, so that asking for one makes
    nothing stale.
    """

    def __init__(
        self, name: str, folder: str | Path, study: str, params: dict[str, Any], fold: int
    ) -> None:
        settings = dotted({branch: params[branch] for branch in RUN_BRANCHES})
        self.tracker = None
        if name != "none":
            self.tracker = Tolerant(
                name,
                lambda: load("TRACKERS", name)(Path(folder), study, params["run"], fold, settings),
            )

    def __call__(self, history: list[dict[str, Any]]) -> bool:
        """Tell the youngest epoch; a resumed fold does not tell those behind it again."""
        if self.tracker is not None:
            self.tracker.epoch(history[-1]["epoch"], history[-1])
        return False

    def end(self, metrics: dict[str, Any]) -> None:
        """Tell the kept metrics."""
        if self.tracker is not None:
            self.tracker.end(metrics)
