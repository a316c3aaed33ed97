"""Telling a run's progress to an outside tool, which never decides anything.

A tracker is off unless asked for. One that fails is told of once in the log and left alone, so
that no run ends for its sake.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

logger = logging.getLogger("foldwise")


class Tracker(Protocol):
    """What a tracker does. Names are of runs and metrics; nothing of the archive is ever told."""

    def epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Metrics after an epoch, from 1."""

    def end(self, summary: Mapping[str, float]) -> None:
        """The kept metrics; the run is over."""


class Tolerant:
    """A tracker whose failure is a warning: the first one silences it for the rest of the run."""

    def __init__(self, name: str, make: Callable[[], Tracker]) -> None:
        self.name, self.tracker = name, None
        self.tracker = self._try(make)

    def epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Pass on the numbers of an epoch; what is not a finite number is left out."""
        if self.tracker is not None:
            numbers = {key: value for key, value in metrics.items() if is_number(value)}
            self._try(lambda: self.tracker.epoch(epoch, numbers))

    def end(self, summary: Mapping[str, float]) -> None:
        """Pass on the end."""
        if self.tracker is not None:
            numbers = {key: value for key, value in summary.items() if is_number(value)}
            self._try(lambda: self.tracker.end(numbers))

    def _try(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        # A tool from outside may raise anything, and nothing of it may stop a run.
        except Exception as error:
            logger.warning(
                "Tracker %s failed (%s: %s). The run goes on without it.",
                self.name,
                type(error).__name__,
                error,
            )
            self.tracker = None
            return None


def is_number(value: Any) -> bool:
    """True for finite numbers; True and False are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return value == value and abs(value) != float("inf")
