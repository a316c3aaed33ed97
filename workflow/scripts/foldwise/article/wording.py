"""Sentences of an article that hang on what the artefacts say: chosen by facts, never typed."""

from typing import Any

from foldwise.article.study import Study
from foldwise.settings.groups import units_of

# Groups below which a proportion near .9 has an interval wider than a tenth (Wilson, 95 %).
FEW_FOR_INTERVALS = 140
# Warnings about a setting, which the limitation of the kept epoch tells readers of.
OF_SETTINGS = "selection"


def limitations(study: Study) -> list[str]:
    """What the study's own files know against it, a sentence each."""
    manifest = study.manifest
    groups = units_of(manifest.value("group_by"))
    limits = [
        "All images come from one archive; no other site's images were judged.",
    ]
    if manifest.value("group_by") == "accession":
        limits.append(
            "Images were grouped by exam, not by patient: a patient with several exams can be both "
            "trained on and judged."
        )
    if manifest.value("group_by") == "image":
        limits.append("Nothing keeps images of one patient together: each image is its own group.")
    # A classical method has no epochs, and a fixed number of them is chosen by nobody.
    if study.summary.value("selection") is not None:
        limits.append(
            "The epoch whose weights were kept was chosen on the part that judges them, which "
            f"flatters every figure of {_judged(study)}."
        )
    if study.holdout is None:
        limits.append(f"No images were held out; every figure is of {_judged(study)}.")
    if (manifest.value("groups") or 0) < FEW_FOR_INTERVALS:
        limits.append(
            f"The number of {groups} is small, so intervals are wide and rare errors may not have "
            "been seen at all."
        )
    if manifest.value("quarantine_share"):
        limits.append("Some images could not be used; they may differ from those that were.")
    for place, warning in enumerate(study.summary.value("warnings") or []):
        if warning["kind"] != OF_SETTINGS:
            limits.append(study.summary("warnings", place, "text", form=_without_advice))
    return limits


def _judged(study: Study) -> str:
    return "the one validation part" if study.single else "cross-validation"


def _without_advice(text: str) -> str:
    """A warning without what whoever runs the study is to do next: readers cannot."""
    return text.partition(" Read next:")[0]


def words(value: Any) -> str:
    """A value of a setting in running text: `cross_entropy` is its name in a study file."""
    return str(value).replace("_", " ")
