"""Settings of training as the loop reads them. Standard library only: checked before any job."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from foldwise.settings.changes import dotted
from foldwise.settings.rules import check_rules, sides_of

# Groups of a study below which the best epoch of a fold is chosen by chance more than by merit.
FEW_GROUPS = 200


@dataclass(frozen=True)
class EarlyStopping:
    """A stage ends after `patience` epochs without a gain above `min_delta`; None never ends it."""

    patience: int | None
    min_delta: float


@dataclass(frozen=True)
class Stage:
    """Epochs at one image size; with several sizes each batch draws its own."""

    sizes: tuple[int, ...]
    epochs: int

    @property
    def size(self) -> int:
        """Side in pixels at which the validation part and later images are predicted."""
        return max(self.sizes)


@dataclass(frozen=True)
class Settings:
    """Everything that the loop itself reads of a run's params."""

    seed: int
    stages: tuple[Stage, ...]
    batch_size: int
    optimizer: str
    lr: float
    backbone_lr: float
    weight_decay: float
    momentum: float | None  # of SGD alone
    head_only_epochs: int
    lr_warmup_epochs: int
    schedule: Mapping[str, Any]  # its name, and the keys that it reads (train/rates.py)
    early_stopping: EarlyStopping
    stop_after: int | None
    monitor: str | None
    accumulate: int
    clip_norm: float | None
    precision: str
    compile: bool
    sampler: str
    trainable_blocks: int | str  # number of the last blocks, or "all"
    tile: int | None  # side of the crops trained on, in pixels; None: whole pictures
    crops: int  # of each picture in an epoch

    @property
    def epochs(self) -> int:
        """Most epochs of all stages together."""
        return sum(stage.epochs for stage in self.stages)


COPIED = ("batch_size", "optimizer", "lr", "weight_decay", "schedule")
COPIED += ("head_only_epochs", "lr_warmup_epochs")
COPIED += ("stop_after", "monitor", "accumulate", "clip_norm", "precision", "compile", "sampler")


def with_end(params: dict[str, Any], groups: int) -> dict[str, Any]:
    """Params in which `stop_after: auto` is decided for a study of so many groups.

    Of the whole study and not of a fold or a part: all folds, and all runs that are compared, must
    come by their weights in the same way. A classical method has no epochs, and stays as it is.
    """
    training = params["training"]
    if "stop_after" not in training or training["stop_after"] != "auto":
        return params
    last = sum(stage.epochs for stage in _stages(training, params["image"]["size"]))
    return params | {"training": training | {"stop_after": last if groups < FEW_GROUPS else None}}


def read_settings(params: dict[str, Any], where: str = "params.json") -> Settings:
    """Settings from the content of a `params.json`, after `with_end`.

    `where` is named if values contradict.
    """
    check_rules(dotted(params), where)
    training = params["training"]
    return Settings(
        seed=params["seed"],
        stages=tuple(_stages(training, params["image"]["size"])),
        early_stopping=EarlyStopping(**training["early_stopping"]),
        momentum=training.get("momentum"),
        backbone_lr=training["backbone_lr"] or training["lr"],
        trainable_blocks=params["model"]["trainable_blocks"],
        tile=training["tiles"]["size"],
        crops=crops_of(training),
        **{name: training[name] for name in COPIED},
    )


def crops_of(training: dict[str, Any]) -> int:
    """Crops of each picture in an epoch: whole pictures are one."""
    return training["tiles"]["per_image"] if training["tiles"]["size"] else 1


def _stages(training: dict[str, Any], size: int) -> Iterator[Stage]:
    for stage in training["stages"] or [{"size": size, "epochs": training["epochs"]}]:
        yield Stage(tuple(sides_of(stage["size"])), stage["epochs"])
