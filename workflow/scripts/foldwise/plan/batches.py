"""Batches beside what the folds can hold at the most, before any job: a bound from table and files.

How many images a fold trains on is known once there are folds; the same rule is asked again then.
Standard library only.
"""

import math
from collections.abc import Iterator
from typing import Any

from foldwise.errors import FoldwiseError
from foldwise.plan import state
from foldwise.search.plan import check_batches, plan_of
from foldwise.settings.changes import dotted, override
from foldwise.settings.rules import batch_too_large
from foldwise.settings.study import RUN_BRANCHES
from foldwise.settings.training import crops_of

# Readers to which a row of a table of paths is one image.
ONE_A_ROW = ("images", "pairs", "zones", "text")


def most_images(study: dict[str, Any], rows: int, files: int) -> int:
    """The most images there can be, from the rows of the table and the files of the archive."""
    data = study["data"]
    each = data["reader"] in ONE_A_ROW and data["table"]["format"] == "paths"
    return min(rows, files) if each else files


def most_trained(study: dict[str, Any], images: int) -> int:
    """The most images that the smallest training part of so many can hold.

    Over n folds each image is validated once, so the smallest part is no larger than the mean. Of a
    single or a preset split, and of a holdout, groups of unequal size leave no sharper bound.
    """
    folds = study["folds"]
    if folds["preset"] is not None or folds["n"] == 1:
        # At least one image is validated; how many more, groups decide.
        return images - 1
    return math.floor(images * (1 - 1 / folds["n"]))


def batches(study: dict[str, Any], images: int) -> Iterator[str]:
    """Batches of runs and of the search that no training part can fill."""
    trained, kept = most_trained(study, images), {key: study[key] for key in RUN_BRANCHES}
    if trained < 2:
        return  # There are no folds of so few; what is amiss is told when they are dealt.
    for run, changes in study["runs"].items():
        training = override(kept, changes, run)["training"]
        reason = batch_too_large(training["batch_size"], crops_of(training), trained)
        if reason:
            yield f"training.batch_size of run {run}: {reason}."
    plan = plan_of(study, state.fold_numbers(study)) if study["search"] else None
    try:
        if plan:
            check_batches(plan.search, dotted(plan.base), trained, "search")
    except FoldwiseError as error:
        yield str(error)
