"""Settings that suit data of a size, with the reason of each: a study file to begin with."""

import json
from dataclasses import dataclass

from foldwise.errors import FoldwiseError
from foldwise.proposal.facts import CLASSES, Facts
from foldwise.settings.training import FEW_GROUPS

# Multiples of 32, by which the usual networks shrink a picture.
SIDES = (32, 64, 96, 128, 160, 224, 256, 320, 384, 512)
# Groups from which a larger network has something to learn from.
MANY_GROUPS = 1000
# Bytes of activations, gradients and buffers for each input value while a small network trains.
BYTES_A_VALUE = 400
# Steps of the optimiser in which small networks converge on data of some hundred images.
STEPS = 1500
# Side of the crops of a picture with a mask, in pixels, and how many in an epoch.
TILE, CROPS = 128, 6


@dataclass(frozen=True)
class Proposal:
    """What is proposed, each with the sentence that says why; `tiles`: crops, none below 256."""

    size: tuple[int, str]
    network: tuple[str, str]
    folds: tuple[int, str]
    batch: tuple[int, str]
    epochs: tuple[int, str]
    stop_after: tuple[str, str]
    tiles: tuple[int, str] | None = None


def propose(facts: Facts, memory: int) -> Proposal:
    """Settings for these data on a machine with so many bytes of memory for training.

    Raises FoldwiseError where there are too few classes or groups for two folds.
    """
    folds, size = folds_for(facts), side_for(facts)
    pictures = facts.images * (folds[0] - 1) // folds[0]
    tiles = tiles_for(facts, size)
    trained, side = (pictures * CROPS, TILE) if tiles else (pictures, size)
    batch = batch_for(side, facts.channels, trained, memory)
    # By steps: a small data set needs more epochs for as many updates of the weights.
    epochs = min(100, max(15, round(STEPS / max(1, trained // batch))))
    return Proposal(
        size=(size, f"pictures are {facts.width} x {facts.height} pixels (median of a sample)"),
        network=network_for(facts),
        folds=folds,
        batch=(
            batch,
            f"{trained} {'crops' if tiles else 'images'} train; {memory >> 30} GB of memory",
        ),
        epochs=(epochs, f"about {epochs * max(1, trained // batch):,} steps"),
        stop_after=("auto", end_for(facts.groups)),
        tiles=tiles,
    )


def folds_for(facts: Facts) -> tuple[int, str]:
    """Five folds, or as many as there are groups, of the rarest class where there are classes."""
    if facts.kind != CLASSES:
        if facts.groups < 2:
            raise FoldwiseError(
                f"{facts.groups} groups in column '{facts.columns.get('patient')}': two folds need "
                "two. Name another column with --patient."
            )
        return min(5, facts.groups), f"there are {facts.groups} groups, and none is split"
    # A class of one group cannot be both in training and in validation.
    kept = [number for number in facts.classes.values() if number > 1]
    if len(kept) < 2:
        raise FoldwiseError(
            f"{len(kept)} classes have two patients or more; two such classes are needed. Is "
            f"'{facts.columns['label']}' the column of the label? Name it with --label."
        )
    return min(5, *kept), f"the rarest class has {min(kept)} groups, and each fold needs one"


def tiles_for(facts: Facts, size: int) -> tuple[int, str] | None:
    """Crops of a picture with a mask, where it is large enough to hold several."""
    if facts.kind != "segmentation" or size < 2 * TILE:
        return None
    return TILE, f"{CROPS} crops a picture and epoch: more to learn from, and small things stay"


def end_for(groups: int) -> str:
    """What `training.stop_after: auto` does with so many groups."""
    if groups < FEW_GROUPS:
        return f"keeps the last epoch: below {FEW_GROUPS} groups the best one is chosen by chance"
    return "keeps the best epoch: there are enough groups for the validation part to choose it"


def side_for(facts: Facts) -> int:
    """A usual side not above the picture's shorter one; 256 for few groups, which learn no more.

    512 where each pixel is judged.
    """
    most = 512 if facts.groups >= MANY_GROUPS or facts.kind == "segmentation" else 256
    fitting = [side for side in SIDES if side <= min(facts.width, facts.height, most)]
    return fitting[-1] if fitting else SIDES[0]


def batch_for(size: int, channels: int, trained: int, memory: int) -> int:
    """A power of two: what half the memory holds, with eight steps an epoch or more, up to 32."""
    most = min(32, memory // 2 // (size * size * channels * BYTES_A_VALUE), trained // 8)
    return 1 << max(1, int(most).bit_length() - 1)


def network_for(facts: Facts) -> tuple[str, str]:
    """A network by what it is to answer, and how many groups there are to learn from."""
    if facts.kind == "segmentation":
        return "unet, width: 8", "from random weights; wider learns more from many pictures"
    if facts.groups < MANY_GROUPS:
        return (
            "small_cnn",
            "from random weights; try efficientnet_b0 with weights: imagenet as a run",
        )
    return "efficientnet_b0", "add weights: imagenet where torchvision's are at hand"


def study_text(facts: Facts, proposal: Proposal, root: str, table: str) -> str:
    """The study file, a reason behind each setting."""
    rare = [name for name, groups in facts.classes.items() if groups < 2]
    order = [name for name in facts.classes if name not in rare]
    # Files of DICOM name their patient themselves.
    group = "patient" if "patient" in facts.columns or facts.reader == "dicom" else "image"
    by_header = facts.match == "header"
    lines = [
        "# Proposed from the data's size; every line may be changed (config/README.md).",
        f"# {facts.images:,} images, {facts.groups:,} groups" + _by_class(facts),
        f"kind: {facts.kind}",
        "seed: 42",
        "data:",
        f"  reader: {facts.reader}",
        f"  root: {_as_yaml(root)}",
        f"  table: {{path: {_as_yaml(table)}, format: {facts.format}}}",
        f"  columns: {_mapping(facts.columns)}",
        *(
            ["  match: header  # folders are not called as the table's rows are"]
            if by_header
            else []
        ),
        *_group(group),
        *(_classes(order, rare) if facts.kind == CLASSES else []),
        _line(f"image: {{{{size: {{0}}, channels: {facts.channels}}}}}", proposal.size),
        _line("folds: {{n: {0}}}", proposal.folds),
        _line("model: {{name: {0}}}", proposal.network),
        "training:",
        *(
            [_line(f"  tiles: {{{{size: {{0}}, per_image: {CROPS}}}}}", proposal.tiles)]
            if proposal.tiles
            else []
        ),
        _line("  batch_size: {0}", proposal.batch),
        _line("  epochs: {0}", proposal.epochs),
        _line("  stop_after: {0}", proposal.stop_after),
    ]
    return "\n".join(lines) + "\n"


def _by_class(facts: Facts) -> str:
    if not facts.classes:
        return ""
    counts = ", ".join(f"{name} {number}" for name, number in facts.classes.items())
    return f"; groups by class: {counts}"


def _group(group: str) -> list[str]:
    if group == "patient":
        return []
    return [
        "  # No column names the patient. If one has several images, name it in columns.patient:",
        "  # else images of one patient stand on both sides of a fold, which flatters all results.",
        "  group: image",
    ]


def _classes(order: list[str], rare: list[str]) -> list[str]:
    lines = [
        "  classes:",
        "    # From lowest to highest: kappa and all tables take this order.",
        f"    order: {_as_yaml(order)}",
    ]
    dropped = [
        "    # One patient each: no two folds could hold them.",
        f"    drop: {_as_yaml(rare)}",
    ]
    return lines + (dropped if rare else [])


def _line(form: str, chosen: tuple[object, str]) -> str:
    return f"{form.format(chosen[0])}  # {chosen[1]}"


def _as_yaml(value: object) -> str:
    """A value as YAML reads it: JSON is YAML, and quotes what would be taken for a number."""
    return json.dumps(value, ensure_ascii=False)


def _mapping(values: dict[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {_as_yaml(value)}" for key, value in values.items()) + "}"
