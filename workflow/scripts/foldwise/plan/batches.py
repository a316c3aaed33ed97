"""Batches beside what training parts can hold, before any job, from table and files.

How many images a fold trains on is known once there are folds; the same rule is asked again then.
A batch that no part can fill is refused; of one that is larger than a part is likely to be, as by
the shares of folds and holdout, a warning tells. Standard library only.
"""

import math
from collections.abc import Iterator
from typing import Any

from foldwise.errors import FoldwiseError
from foldwise.plan import state
from foldwise.search.plan import check_batches, outer_study, plan_of
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
    # At least one image is held out, and one validated; how many more, groups decide.
    left = images - bool(folds["holdout"])
    if folds["preset"] is not None or folds["n"] == 1:
        return left - 1
    return math.floor(left * (1 - 1 / folds["n"]))


def likely_trained(study: dict[str, Any], images: int) -> int:
    """The images of a training part if all groups are of one size."""
    folds = study["folds"]
    if folds["preset"] is not None:
        return most_trained(study, images)  # The table decides, and no share.
    shared = 1 - folds["holdout"]
    share = shared - folds["validation"] if folds["n"] == 1 else shared * (1 - 1 / folds["n"])
    return math.floor(images * share)


def batches(study: dict[str, Any], images: int) -> Iterator[str]:
    """Batches of runs and of the search that no training part can fill."""
    trained = most_trained(study, images)
    if trained < 2:
        return  # There are no folds of so few; what is amiss is told when they are dealt.
    for run in study["runs"]:
        yield from _of_run(study, run, trained)
    yield from _of_search(study, trained, "search")


def likely_batches(study: dict[str, Any], images: int) -> Iterator[str]:
    """Batches that a job is likely to refuse: beside a holdout, in a learning curve, nested."""
    trained, run = likely_trained(study, images), study["report"]["run"]
    if trained < 2:
        return
    if trained < most_trained(study, images):
        for name in study["runs"]:
            yield from _of_run(study, name, trained)
        yield from _of_search(study, trained, "search")
    least = min(study["learning_curve"] or [100])
    if least < 100:
        yield from _of_run(study, run, trained * least // 100, f"{run}_part{least}")
    if study["search"]:
        inner = outer_study(study, 1)
        for fault in _of_search(inner, likely_trained(inner, trained), "search"):
            yield f"nested, inside an outer fold: {fault}"


def _of_run(study: dict[str, Any], run: str, trained: int, shown: str = "") -> Iterator[str]:
    kept = {key: study[key] for key in RUN_BRANCHES}
    training = override(kept, study["runs"].get(run) or {}, run)["training"]
    if reason := batch_too_large(training["batch_size"], crops_of(training), trained):
        yield f"training.batch_size of run {shown or run}: {reason}."


def _of_search(study: dict[str, Any], trained: int, where: str) -> Iterator[str]:
    plan = plan_of(study, state.fold_numbers(study)) if study["search"] else None
    try:
        if plan:
            check_batches(plan.search, dotted(plan.base), trained, where)
    except FoldwiseError as error:
        yield str(error)
