"""All that changes while a fold is trained: what a checkpoint holds, no more and no less.

Random numbers have no state here: each draw is a function of the seed and of the position.
"""

import math
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import torch
from torch import nn

from foldwise.settings.training import Settings
from foldwise.train.failure import non_finite
from foldwise.train.optim import make_optimizer

Weights = dict[str, torch.Tensor]


# Steps after which a GPU is asked for what they came to: their losses are read all at once.
UNREAD = 32


@dataclass(frozen=True)
class Noted:
    """Values of a step, still on the device: a batch's loss terms, or the gradient's norm."""

    what: str  # in words
    values: dict[str, torch.Tensor]  # scalars; "loss" or "norm" must be finite
    rows: np.ndarray  # (B,) of the training part
    step: int  # from 1

    @property
    def on_cpu(self) -> bool:
        """Whether reading the values waits for nothing."""
        return next(iter(self.values.values())).device.type == "cpu"


@dataclass
class Fit:
    """Model and optimiser, how far they are, and the best so far.

    `score` is the monitored metric with its sign turned so that larger is better.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    stage: int = 0  # index of the running stage
    first: int = 0  # epochs finished before this stage
    epoch: int = 0  # epochs finished
    step: int = 0  # steps finished in the running epoch
    seen: int = 0  # images seen in the running epoch
    sums: dict[str, float] = field(default_factory=dict)  # of the loss terms over these images
    history: list[dict[str, Any]] = field(default_factory=list)  # one entry an epoch
    times: list[list[float]] = field(default_factory=list)  # [unix time, seconds in all] an epoch
    scores: list[float] = field(default_factory=list)  # of this stage
    best: Weights = field(default_factory=dict)
    best_epoch: int = 0
    best_score: float = -math.inf
    ended: str = ""  # why training ended; empty while it goes on
    unread: list[Noted] = field(default_factory=list)  # always empty in a checkpoint

    def __post_init__(self) -> None:
        # What steps ask for a loss; no field, since a checkpoint has no place for compiled code.
        self.step_model: nn.Module = self.model

    def note(self, noted: Noted) -> None:
        """Keep what a batch came to until it is read: on a CPU at once, on a GPU some steps later.

        To read a number of a GPU is to wait for all that it was told to compute before.
        """
        self.unread.append(noted)
        if noted.on_cpu or len(self.unread) >= UNREAD:
            self.settle()

    def settle(self) -> None:
        """Read what was noted, and add the loss terms, means over a batch, to the epoch's sums.

        Raises TrainingFailed for the first value that is not finite, with its step and rows.
        """
        unread, self.unread = self.unread, []
        flat = [value for noted in unread for value in noted.values.values()]
        # One transfer for all. float64 holds each float32 as it is.
        read = iter(
            torch.stack([value.detach().double() for value in flat]).tolist() if flat else []
        )
        for noted in unread:
            values = {name: next(read) for name in noted.values}
            decisive = values["loss"] if "loss" in values else values["norm"]
            if not math.isfinite(decisive):
                rows, epoch = noted.rows.tolist(), self.epoch + 1
                raise non_finite(noted.what, decisive, epoch, rows, noted.step)
            if "loss" in values:
                self._add(values, len(noted.rows))

    def _add(self, terms: dict[str, float], images: int) -> None:
        for name, value in terms.items():
            # A sum over images, since the last batch of an epoch may be smaller than the others.
            self.sums[name] = self.sums.setdefault(name, 0.0) + value * images
        self.seen += images

    def close_epoch(self, score: float, min_delta: float) -> None:
        """Count the epoch; keep its weights if they are the stage's best (NaN never is)."""
        self.epoch, self.step, self.seen, self.sums = self.epoch + 1, 0, 0, {}
        self.scores.append(score)
        if not self.best or score > self.best_score + min_delta:
            self.best, self.best_epoch = weights_of(self.model), self.epoch
            self.best_score = -math.inf if math.isnan(score) else score

    def next_stage(self, settings: Settings) -> None:
        """Go on from the best weights, with a new optimiser and a best of its own."""
        # From the best and not the last: the last ones are what patience gave up on.
        self.model.load_state_dict(self.best)
        # New: moments of gradients at another image size would steer the first steps.
        self.optimizer = make_optimizer(self.model, settings)
        self.stage, self.first, self.scores = self.stage + 1, self.epoch, []
        self.best, self.best_score, self.ended = {}, -math.inf, ""

    def state(self) -> dict[str, Any]:
        """What `restore` needs, readable with weights_only. Never of weights that went astray."""
        self.settle()
        plain = {item.name: getattr(self, item.name) for item in fields(self)}
        # Settled above, thus empty; its tensors of a device have no place in a file.
        del plain["unread"]
        return plain | {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue where `state` was taken."""
        self.model.load_state_dict(state.pop("model"))
        self.optimizer.load_state_dict(state.pop("optimizer"))
        for name, value in state.items():
            setattr(self, name, value)


def weights_of(model: nn.Module) -> Weights:
    """A copy of the model's weights in main memory, in plain layout: equal weights, equal bytes."""
    plain = torch.contiguous_format
    return {
        # `copy`, since on a CPU `to` gives the live weights, which training goes on to change.
        name: value.detach().to("cpu", copy=True).contiguous(memory_format=plain)
        for name, value in model.state_dict().items()
    }
