"""What a fold tells while it is trained: a log line and a line in Ray Tune's form an epoch."""

import json
import logging
import math
import time
from pathlib import Path
from typing import Any

from foldwise.files import write_text
from foldwise.train.fit import Fit

logger = logging.getLogger("foldwise")
SHOWN = 4  # metrics in a log line beside the losses


class Progress:
    """Writes `ray_<run>.jsonl` and the log. Times stand here and nowhere in train_history.json."""

    def __init__(self, params: dict, fold: int, epochs: int, out: Path) -> None:
        self.params, self.fold, self.epochs = params, fold, epochs
        self.path = out / f"ray_{params['run']}.jsonl"
        self.before, self.start, self.done_before = 0.0, time.monotonic(), 0

    def begin(self, fit: Fit, train: int, val: int) -> None:
        """Tell the numbers of images and write the lines of epochs that an earlier job finished.

        Snakemake has removed the earlier job's file.
        """
        parameters = sum(value.numel() for value in fit.model.parameters())
        place = next(fit.model.parameters()).device.type
        told = self.params["run"], self.fold, train, val, parameters, place
        logger.info("%s fold %s: %d images train, %d validate; %d parameters, %s", *told)
        self.before = fit.times[-1][1] if fit.times else 0.0
        self.done_before = fit.epoch
        write_text(self.path, "".join(self._line(fit, index) for index in range(fit.epoch)))

    def epoch(self, fit: Fit) -> None:
        """Note the time of the epoch that has just ended, and tell it."""
        spent = time.monotonic() - self.start
        fit.times.append([time.time(), self.before + spent])
        with open(self.path, "a", encoding="utf-8") as stream:
            stream.write(self._line(fit, fit.epoch - 1))
        each = spent / (fit.epoch - self.done_before)
        entry = fit.history[-1]
        metrics = {
            k: v for k, v in entry.items() if isinstance(v, float) and not k.startswith("lr")
        }
        told = "  ".join(
            f"{name} {value:.4g}" for name, value in list(metrics.items())[: SHOWN + 1]
        )
        logger.info(
            "%s fold %s epoch %d/%d  %s  best %d  %.3g s an epoch, at most %s left",
            self.params["run"],
            self.fold,
            fit.epoch,
            self.epochs,
            told,
            fit.best_epoch,
            each,
            duration(each * (self.epochs - fit.epoch)),
        )

    def _line(self, fit: Fit, index: int) -> str:
        """Keys as in Ray Tune's result.json, with the fold added."""
        timestamp, total = fit.times[index]
        before = fit.times[index - 1][1] if index else 0.0
        record = {
            "trial_id": self.params["run"],
            "fold": self.fold,
            "training_iteration": index + 1,
            "time_this_iter_s": round(total - before, 3),
            "time_total_s": round(total, 3),
            "timestamp": int(timestamp),
            "config": {k: v for k, v in self.params.items() if k not in ("run", "task")},
        }
        return json.dumps(record | fit.history[index], allow_nan=False) + "\n"


def duration(seconds: float) -> str:
    """Seconds as a reader says them: 40 s, 12 min, 3.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def finite(values: dict[str, Any]) -> dict[str, Any]:
    """NaN and infinity as None: JSON has neither."""
    return {
        k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in values.items()
    }
