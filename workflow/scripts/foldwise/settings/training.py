"""Settings of training as the loop reads them. Standard library only: checked before any job."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from foldwise.errors import FoldwiseError


@dataclass(frozen=True)
class Schedule:
    """How the learning rates change over the epochs of a stage."""

    name: str = "none"
    factor: float = 0.5
    patience: int = 5
    step_epochs: int = 10
    min_lr: float = 0.0


@dataclass(frozen=True)
class EarlyStopping:
    """A stage ends after `patience` epochs without a gain above `min_delta`; None never ends it."""

    patience: int | None = None
    min_delta: float = 0.0


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
    momentum: float
    warmup_epochs: int
    schedule: Schedule
    early_stopping: EarlyStopping
    stop_after: int | None
    monitor: str | None
    accumulate: int
    clip_norm: float | None
    precision: str
    sampler: str
    trainable_blocks: int | str  # number of the last blocks, or "all"
    tile: int | None  # side of the crops trained on, in pixels; None: whole pictures
    crops: int  # of each picture in an epoch

    @property
    def epochs(self) -> int:
        """Most epochs of all stages together."""
        return sum(stage.epochs for stage in self.stages)


COPIED = ("batch_size", "optimizer", "lr", "weight_decay", "momentum", "warmup_epochs")
COPIED += ("stop_after", "monitor", "accumulate", "clip_norm", "precision", "sampler")


def read_settings(params: dict[str, Any], where: str = "params.json") -> Settings:
    """Settings from the content of a `params.json`; `where` is named if values contradict."""
    training = params["training"]
    settings = Settings(
        seed=params["seed"],
        stages=tuple(_stages(training, params["image"]["size"])),
        schedule=Schedule(**training["schedule"]),
        early_stopping=EarlyStopping(**training["early_stopping"]),
        backbone_lr=training["backbone_lr"] or training["lr"],
        trainable_blocks=params["model"].get("trainable_blocks", "all"),
        tile=training["tiles"]["size"],
        crops=training["tiles"]["per_image"] if training["tiles"]["size"] else 1,
        **{name: training[name] for name in COPIED},
    )
    _check(settings, params, where)
    return settings


def _stages(training: dict[str, Any], size: int) -> Iterator[Stage]:
    for stage in training["stages"] or [{"size": size, "epochs": training["epochs"]}]:
        sizes = stage["size"] if isinstance(stage["size"], list) else [stage["size"]]
        yield Stage(tuple(sizes), stage["epochs"])


def _check(settings: Settings, params: dict[str, Any], where: str) -> None:
    weights = params["loss"].get("class_weights", "none")
    if settings.sampler == "weighted" and weights != "none":
        raise FoldwiseError(
            f"{where}: training.sampler is 'weighted' and loss.class_weights is '{weights}': both "
            "even out the classes, together they overdo it. Set one of them to 'shuffle' or 'none'."
        )
    if settings.warmup_epochs >= settings.stages[0].epochs and settings.trainable_blocks != 0:
        raise FoldwiseError(
            f"{where}: training.warmup_epochs is {settings.warmup_epochs} of "
            f"{settings.stages[0].epochs} epochs: the feature blocks would never be trained. Lower "
            "it, or say model.trainable_blocks: 0 if only the head is meant to be trained."
        )
    largest = max(size for stage in settings.stages for size in stage.sizes)
    if largest > params["image"]["size"]:
        raise FoldwiseError(
            f"{where}: training.stages names size {largest}, but images are stored at image.size "
            f"{params['image']['size']}. Raise image.size to the largest size trained."
        )
