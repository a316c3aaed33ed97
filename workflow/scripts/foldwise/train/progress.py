"""What a fold tells while it is trained: a log line and a line in Ray Tune's form an epoch."""

import json
import logging
import math
import time
from typing import Any

from foldwise.files import disk_space_errors, write_text
from foldwise.times import duration, show_driver
from foldwise.train.fit import Fit
from foldwise.train.job import FoldJob

logger = logging.getLogger("foldwise")
SHOWN = 3  # metrics in a log line beside losses and the monitored one
PLACE = ("epoch", "size", "lr_head", "lr_backbone")  # of a history's entry: no metrics


class Progress:
    """Writes `ray_<run>.jsonl` and the log. Times stand here and nowhere in train_history.json."""

    def __init__(self, job: FoldJob, epochs: int, monitor: str) -> None:
        self.params, self.fold, self.epochs, self.monitor = job.params, job.fold, epochs, monitor
        self.path = job.out / f"ray_{self.params['run']}.jsonl"
        self.before, self.start, self.done_before = 0.0, time.monotonic(), 0

    def begin(self, fit: Fit, train: int, val: int) -> None:
        """Tell the numbers of images and write the lines of epochs that an earlier job finished.

        Snakemake has removed the earlier job's file.
        """
        parameters = sum(value.numel() for value in fit.model.parameters())
        place = next(fit.model.parameters()).device.type
        numbers = self.params["run"], self.fold, train, val, parameters, place
        logger.info("%s fold %s: %d images train, %d validate; %d parameters, %s", *numbers)
        # Ray's total is of training, not of the hours that a killed job waited in the queue again.
        self.before = fit.times[-1][1] if fit.times else 0.0
        self.done_before = fit.epoch
        write_text(self.path, "".join(self._line(fit, index) for index in range(fit.epoch)))

    def epoch(self, fit: Fit) -> None:
        """Note the time of the epoch that has just ended, and tell it."""
        spent = time.monotonic() - self.start
        fit.times.append([time.time(), self.before + spent])
        with disk_space_errors(self.path), open(self.path, "a", encoding="utf-8") as stream:
            stream.write(self._line(fit, fit.epoch - 1))
        each = spent / (fit.epoch - self.done_before)
        # Of this job's own epochs: those before a resume may have run on another machine.
        left = duration(each * (self.epochs - fit.epoch))
        show_driver(f"epoch {fit.epoch} of {self.epochs}, at most {left} left")
        logger.info(
            "%s fold %s epoch %d/%d  %s  best in epoch %d  %.3g s an epoch, at most %s left",
            self.params["run"],
            self.fold,
            fit.epoch,
            self.epochs,
            self._summary(fit.history[-1]),
            fit.best_epoch,
            each,
            left,
        )

    def _summary(self, entry: dict[str, Any]) -> str:
        """Losses, the monitored metric, and the first others."""
        losses = [name for name in entry if name.startswith("train_") or name == "val_loss"]
        others = [name for name in entry if name not in (*PLACE, *losses)]
        chosen = dict.fromkeys([*losses, self.monitor, *others[:SHOWN]])
        return "  ".join(f"{name} {entry[name]:.4g}" for name in chosen if entry[name] is not None)

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
        # Python would write NaN as a bare word, on which other readers of JSON stop; see `finite`.
        return json.dumps(record | fit.history[index], allow_nan=False) + "\n"


def finite(values: dict[str, Any]) -> dict[str, Any]:
    """NaN and infinity as None: JSON has neither."""
    return {
        k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in values.items()
    }
