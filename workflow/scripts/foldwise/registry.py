"""Plug-ins by name: what a study file may name, and the module that holds it.

The only dynamic import of the package. The code fingerprint of a rule follows static imports and,
of these tables, only the entries that the study names; so there is one module per kind of thing.
Standard library only: the rule files read this.
"""

import importlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from foldwise.errors import FoldwiseError, choose

TASKS = {
    "classification": "foldwise.tasks.classification:Classification",
    "zones": "foldwise.tasks.zones:Zones",
    "segmentation": "foldwise.tasks.segmentation:Segmentation",
    "distillation": "foldwise.tasks.distillation:Distillation",
}

# What a kind of study is measured by: no torch, so that metrics and figures need none.
MEASURES = {
    "classification": "foldwise.evaluate.metrics.classification:Measures",
    "zones": "foldwise.evaluate.metrics.zones:Measures",
    "segmentation": "foldwise.evaluate.metrics.segmentation:Measures",
    "distillation": "foldwise.evaluate.metrics.heads:Measures",
}

READERS = {
    "dicom": "foldwise.cohort.readers.dicom:Reader",
    "images": "foldwise.cohort.readers.images:Reader",
    "pairs": "foldwise.cohort.readers.pairs:Reader",
    "zones": "foldwise.cohort.readers.zones:Reader",
    "text": "foldwise.cohort.readers.text:Reader",
    "medpix": "foldwise.cohort.readers.medpix:Reader",
}

# Files of a sample to a row of the cache; their code is part of the cache's key.
DECODERS = {
    "dicom": "foldwise.pixels.decode.dicom:Decoder",
    "images": "foldwise.pixels.decode.images:Decoder",
    "pairs": "foldwise.pixels.decode.pairs:Decoder",
    "zones": "foldwise.pixels.decode.zones:Decoder",
    "text": "foldwise.pixels.decode.images:Decoder",
    "medpix": "foldwise.pixels.decode.images:Decoder",
}

# What of a network is needed before it can be imported: sides of pictures (multiples of `step`, at
# least `least` pixels), the file of its ImageNet weights and how those want pixels normalised.
# tools/list_networks.py writes the file from torchvision's own registry.
TORCHVISION = json.loads(
    Path(__file__).with_name("models").joinpath("torchvision.json").read_text(encoding="utf-8")
)
NETWORKS: dict[str, dict[str, Any]] = {
    "small_cnn": {"least": 32},
    "custom_1": {"least": 32},
    **TORCHVISION,
}

# Image to features; `foldwise.models.vision` puts a head on any of them.
VISION = {
    "small_cnn": "foldwise.models.small:small_cnn",
    "small_resnet": "foldwise.models.small:small_resnet",
    "custom_1": "foldwise.models.plain:custom_1",
    **dict.fromkeys(TORCHVISION, "foldwise.models.torchvision_networks:build"),
}

# Image to mask.
SEGMENTERS = {
    "unet": "foldwise.models.unet:unet",
    "resunet": "foldwise.models.unet:resunet",
    "attention_resunet": "foldwise.models.unet:attention_resunet",
}

# Image and text to several answers.
VISION_TEXT = {"vision_text": "foldwise.models.vision_text:vision_text"}

# Loss over the answers of one kind of study.
CLASS_LOSSES = {
    "cross_entropy": "foldwise.losses.classes:cross_entropy",
    "focal": "foldwise.losses.classes:focal",
    "ordinal": "foldwise.losses.ordinal:ordinal",
    "ordinal_cumulative": "foldwise.losses.ordinal:ordinal_cumulative",
}
ZONE_LOSSES = {
    "zone_cross_entropy": "foldwise.losses.zones:zone_cross_entropy",
    "zone_ordinal": "foldwise.losses.zones:zone_ordinal",
}
MASK_LOSSES = {
    "combined": "foldwise.losses.masks:combined",
    "combined_tversky": "foldwise.losses.masks:combined_tversky",
    "dice": "foldwise.losses.masks:dice",
    "tversky": "foldwise.losses.masks:tversky",
    "focal_tversky": "foldwise.losses.masks:focal_tversky",
    "binary_focal": "foldwise.losses.masks:binary_focal",
}
TWO_HEAD_LOSSES = {"distillation": "foldwise.losses.distillation:distillation"}

FUSIONS = {
    "cross_attention": "foldwise.models.fusion:CrossAttention",
    "concat_mlp": "foldwise.models.fusion:ConcatMLP",
    "gated": "foldwise.models.fusion:Gated",
    "film": "foldwise.models.fusion:FiLM",
    "transformer": "foldwise.models.fusion:TokenTransformer",
}

FIGURES = {
    "mask_composition": "foldwise.report.figures.masks:draw_composition",
    "overlays": "foldwise.report.figures.masks:draw_overlays",
    "objects": "foldwise.report.figures.masks:draw_objects",
    "cohort_flow": "foldwise.report.figures.flow:draw",
    "fold_composition": "foldwise.report.figures.folds:draw_composition",
    "training": "foldwise.report.figures.training:draw",
    "metrics": "foldwise.report.figures.folds:draw_metrics",
    "confusion": "foldwise.report.figures.confusion:draw",
    "roc": "foldwise.report.figures.curves:draw_roc",
    "precision_recall": "foldwise.report.figures.curves:draw_precision_recall",
    "calibration": "foldwise.report.figures.calibration:draw",
    "mended": "foldwise.report.figures.mended:draw_mended",
    "subgroups": "foldwise.report.figures.subgroups:draw",
    "triage": "foldwise.report.figures.triage:draw",
    "decision": "foldwise.report.figures.mended:draw_decision",
    "zone_composition": "foldwise.report.figures.zones:draw_composition",
    "zone_confusion": "foldwise.report.figures.zones:draw_confusion",
    "score_agreement": "foldwise.report.figures.zones:draw_agreement",
    "gradcam": "foldwise.report.figures.gradcam:draw",
    "holdout": "foldwise.report.figures.holdout:draw",
    "learning_curve": "foldwise.report.figures.learning_curve:draw",
    "holdout_confusion": "foldwise.report.figures.confusion:draw",
    "holdout_zone_confusion": "foldwise.report.figures.zones:draw_confusion",
    "holdout_objects": "foldwise.report.figures.masks:draw_objects",
}

# Where progress is told beside the files.
TRACKERS = {
    "tensorboard": "foldwise.trackers.tensorboard:TensorBoard",
    "wandb": "foldwise.trackers.wandb:Wandb",
}

# Classical methods that a study's network is compared with.
BASELINES = {
    "logistic_statistics": "foldwise.baselines.statistics:logistic_statistics",
    "logistic_pixels": "foldwise.baselines.texts:logistic_pixels",
    "logistic_text": "foldwise.baselines.texts:logistic_text",
    "logistic_text_pixels": "foldwise.baselines.texts:logistic_text_pixels",
    "otsu": "foldwise.baselines.masks:otsu",
    "otsu_smaller": "foldwise.baselines.masks:otsu_smaller",
    "otsu_flat": "foldwise.baselines.masks:otsu_flat",
    "otsu_median": "foldwise.baselines.masks:otsu_median",
    "ridge_pixels": "foldwise.baselines.scores:ridge_pixels",
    "second_reader": "foldwise.baselines.readers:second_reader",
}

GROUPS = {
    "BASELINES": BASELINES,
    "TASKS": TASKS,
    "MEASURES": MEASURES,
    "READERS": READERS,
    "DECODERS": DECODERS,
    "MODELS": VISION | SEGMENTERS | VISION_TEXT,
    "VISION": VISION,
    "SEGMENTERS": SEGMENTERS,
    "LOSSES": CLASS_LOSSES | ZONE_LOSSES | MASK_LOSSES | TWO_HEAD_LOSSES,
    "FUSIONS": FUSIONS,
    "TRACKERS": TRACKERS,
    "FIGURES": FIGURES,
}

WHAT = {"VISION": "vision model", "SEGMENTERS": "segmentation model", "LOSSES": "loss"}


# Names that a package of its own defines: all that begin so are one entry.
OPEN = {
    "MODELS": {"timm/": "foldwise.models.timm_networks:build"},
    "VISION": {"timm/": "foldwise.models.timm_networks:build"},
}


def sides_of(network: str) -> dict[str, int]:
    """Sides of pictures that a network takes: multiples of `step`, `least` pixels or more."""
    # Nothing is asked of networks that are not known here, such as timm's.
    return {"step": 1, "least": 1} | NETWORKS.get(network, {})


def names(group: str) -> list[str]:
    """The names of a group, sorted; they are the choices that a schema offers."""
    return sorted(GROUPS[group])


def has(group: str, name: str) -> bool:
    """Whether a group has an entry for this name."""
    return name in GROUPS.get(group, {}) or name.startswith(tuple(OPEN.get(group, ())))


def among(group: str, words: Iterable[str]) -> list[str]:
    """Those of `words` that a group has an entry for, in their order."""
    return [word for word in words if has(group, word)]


def open_names(words: Iterable[str]) -> set[str]:
    """Those of `words` that a package of its own defines."""
    return {word for word in words for group in OPEN if word.startswith(tuple(OPEN[group]))}


def load(group: str, name: str) -> Any:
    """Import the module of one entry and return what the entry names."""
    module, attribute = entry(group, name)
    return getattr(importlib.import_module(module), attribute)


def entry(group: str, name: str) -> tuple[str, str]:
    """Dotted module of one entry and its name in there; nothing is imported."""
    if group not in GROUPS:
        raise FoldwiseError(f"registry: no group '{group}'. Groups: {', '.join(sorted(GROUPS))}.")
    entries = [place for start, place in OPEN.get(group, {}).items() if name.startswith(start)]
    if not entries:
        what = WHAT.get(group, group.lower().removesuffix("s"))
        entries = [GROUPS[group][choose(name, GROUPS[group], what, "study")]]
    module, _, attribute = entries[0].partition(":")
    return module, attribute
