"""Settings of the teacher in a search, by `teacher.<path>`: each combination is a run of its own.

Its name is a digest of these settings alone, so that trials which share them share one teacher.
Standard library only: this runs when the DAG is built, and in jobs.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from foldwise.errors import FoldwiseError
from foldwise.hashing import digest
from foldwise.settings.changes import override
from foldwise.settings.study import changes_of_run, with_changes

PREFIX = "teacher."

Changes = dict[str, Any]


def split(changes: Mapping[str, Any]) -> tuple[Changes, Changes]:
    """Changes of a run itself, and of its teacher without the prefix."""
    own = {path: value for path, value in changes.items() if not path.startswith(PREFIX)}
    of_teacher = {path: value for path, value in changes.items() if path not in own}
    return own, {path.removeprefix(PREFIX): value for path, value in of_teacher.items()}


def variant(teacher: str, changes: Mapping[str, Any]) -> str:
    """Name of the run that is `teacher` with these changes."""
    return f"{teacher}_{digest(dict(changes))[:8]}" if changes else teacher


def variants(
    study: dict[str, Any], listed: Mapping[str, Sequence[Any]], given: Mapping[str, Any]
) -> dict[str, Changes]:
    """Run -> all its changes, of each teacher that a search, or given parameters, may ask for.

    listed: values of each searched setting of the teacher, by its path without the prefix.
    """
    teacher, combinations = study["training"]["teacher"], [split(given)[1]]
    combinations += [
        dict(zip(listed, one, strict=True)) for one in itertools.product(*listed.values())
    ]
    own = changes_of_run(study, teacher) if teacher else {}
    return {variant(teacher, one): own | one for one in combinations if one and teacher}


def changed(base: dict[str, Any], changes: Mapping[str, Any], where: str) -> dict[str, Any]:
    """A copy of a run's resolved settings with changes of its own and of its teacher."""
    own, of_teacher = split(changes)
    settings = override(base, own, where)
    if not of_teacher:
        return settings
    run = variant(base["teacher"]["run"], of_teacher)
    of_model = {path: value for path, value in of_teacher.items() if path.startswith("model.")}
    model = override({"model": base["teacher"]["model"]}, of_model, where)["model"]
    training = settings["training"] | {"teacher": run}
    return settings | {"teacher": {"run": run, "model": model}, "training": training}


def check_changes(study: dict[str, Any], run: str, changes: Mapping[str, Any], where: str) -> None:
    """Raise FoldwiseError for changes that the run, or its teacher, cannot have."""
    own, of_teacher = split(changes)
    with_changes(study, run, own, where)
    if not of_teacher:
        return
    teacher = study["training"]["teacher"]
    if not teacher:
        raise FoldwiseError(
            f"{where}: '{PREFIX}{next(iter(of_teacher))}': the study has no teacher. Name one of "
            "its runs in training.teacher."
        )
    with_changes(study, teacher, changes_of_run(study, teacher) | of_teacher, where)
