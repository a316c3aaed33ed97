"""Rules between keys: combinations of settings, each fine by itself, that cannot run or mislead.

One list for all who ask: runs when a study is loaded, each trial, a search's space before it
starts, and what the folds turn out to hold. Standard library only.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from foldwise.errors import FoldwiseError, plural

Values = Mapping[str, Any]  # settings by dotted path

# Networks without batch normalisation, by the beginning of their names.
UNBATCHED = ("small_resnet", "vision_text", "vit_", "swin", "convnext", "alexnet", "squeezenet")
# Of timm's networks nothing is known before they are made.
UNBATCHED += ("vgg", "timm/")


@dataclass(frozen=True)
class Rule:
    """`broken` says of the values of `keys` what is wrong with them, or ''; `mend` the next step.

    A rule is asked only where all its keys are there.
    """

    keys: tuple[str, ...]
    broken: Callable[[Values], str]
    mend: str


def weighted_twice(values: Values) -> str:
    """Classes weighted by the sampler and by the loss."""
    if values["training.sampler"] == "weighted" and values["loss.class_weights"] != "none":
        return "classes are weighted twice, by the sampler and by the loss, which overdoes it"
    return ""


def first_epochs(values: Values) -> int:
    """Epochs of the first stage, in which all warming up lies."""
    stages = values["training.stages"]
    return stages[0]["epochs"] if stages else values["training.epochs"]


def head_only_too_long(values: Values) -> str:
    """Head-only epochs that fill the first stage."""
    epochs = first_epochs(values)
    if values["training.head_only_epochs"] >= epochs and values["model.trainable_blocks"] != 0:
        return (
            f"the head-only epochs fill all epochs ({epochs}), so the feature blocks would never "
            "be trained"
        )
    return ""


def warmup_too_long(values: Values) -> str:
    """Rates that rise until the end of the first stage."""
    rising, epochs = values["training.lr_warmup_epochs"], first_epochs(values)
    if rising and values["training.head_only_epochs"] + rising >= epochs:
        return f"the rates would still be rising when the {epochs} epochs end"
    return ""


def stage_too_large(values: Values) -> str:
    """Stages larger than the images that are stored."""
    sizes = [stage["size"] for stage in values["training.stages"]]
    # Not larger: pixels beyond the stored ones would be made up.
    largest = max((side for size in sizes for side in sides_of(size)), default=0)
    if largest > values["image.size"]:
        return (
            f"size {largest} is trained, but images are stored at image.size {values['image.size']}"
        )
    return ""


def sides_of(size: int | list[int]) -> list[int]:
    """Sides of a stage: one, or a list of which each batch draws one."""
    return size if isinstance(size, list) else [size]


def heads_of_width(values: Values) -> str:
    """Attention heads that do not share the width evenly."""
    heads, dim = values["model.fusion.heads"], values["model.dim"]
    if values["model.name"] == "vision_text" and dim % heads:
        return f"{heads} heads do not divide model.dim {dim}"
    return ""


def batch_of_one(values: Values) -> str:
    """Batch normalisation of one image: its features at the end have no spread to divide by."""
    name = values["model.name"]
    # A U-Net normalises over many pixels at each level; frozen blocks do not learn from the batch.
    batched = not name.startswith(UNBATCHED) and not name.endswith("unet")
    if values["training.batch_size"] == 1 and batched and values["model.trainable_blocks"] != 0:
        return f"{name} normalises by the batch, which one image does not allow"
    return ""


RULES = (
    Rule(
        ("training.sampler", "loss.class_weights"),
        weighted_twice,
        "Set training.sampler to shuffle or loss.class_weights to none",
    ),
    Rule(
        (
            "training.head_only_epochs",
            "training.epochs",
            "training.stages",
            "model.trainable_blocks",
        ),
        head_only_too_long,
        "Lower training.head_only_epochs, or say model.trainable_blocks: 0 if only the head is "
        "meant to be trained",
    ),
    Rule(
        (
            "training.lr_warmup_epochs",
            "training.head_only_epochs",
            "training.epochs",
            "training.stages",
        ),
        warmup_too_long,
        "Lower training.lr_warmup_epochs or train for longer",
    ),
    Rule(
        ("training.stages", "image.size"),
        stage_too_large,
        "Raise image.size to the largest size trained",
    ),
    Rule(
        ("model.fusion.heads", "model.dim", "model.name"),
        heads_of_width,
        "Give model.fusion.heads a divisor of model.dim",
    ),
    Rule(
        ("training.batch_size", "model.name", "model.trainable_blocks"),
        batch_of_one,
        "Take a batch of 2 or more; training.accumulate makes small ones count as a large one",
    ),
)


def broken_rules(values: Values) -> Iterator[str]:
    """What is wrong with settings (by dotted path), with the keys concerned and the next step."""
    for rule in RULES:
        if set(rule.keys) <= set(values) and (reason := rule.broken(values)):
            yield f"{rule.keys[0]} is {values[rule.keys[0]]}: {reason}. {rule.mend}."


def check_rules(values: Values, where: str) -> None:
    """Raise FoldwiseError that lists all rules that the settings break, one a line."""
    faults = [f"{where}: {fault}" for fault in broken_rules(values)]
    if faults:
        raise FoldwiseError("\n".join(faults))


def batch_too_large(batch: int, crops: int, images: int) -> str:
    """What is wrong with a batch beside the smallest training part, known once there are folds."""
    if batch <= images * crops:
        return ""
    what = plural(images, "image") + (f", {crops} crops of each," if crops > 1 else "")
    return (
        f"a batch of {batch} is larger than the smallest training part of {what}: an epoch would "
        f"be one step. Take {images * crops} or less"
    )
