"""A study's search as the rules see it: checked, and what each trial must know of it.

Standard library and the package's schema reader only: this runs when the DAG is built.
"""

from typing import Any

from foldwise.config import dotted, with_changes
from foldwise.errors import FoldwiseError
from foldwise.hashing import digest
from foldwise.metrics.monitors import MONITORS
from foldwise.search.check import check_search
from foldwise.search.settings import Search, parse_search

# What does not decide any trial, so that a change of it makes none again.
LOOSE = ("trials", "max_failed", "seeds")


def trial_base(study: dict) -> dict[str, Any]:
    """Settings that all trials of a study share: those of a run without changes."""
    return with_changes(study, "trial", {}, f"{study['name']}: search")


def read_search(
    raw: dict[str, Any], base: dict[str, Any], folds: list[int], where: str = "search"
) -> Search:
    """The search of the branch `raw` for trials that change the settings `base`."""
    shared = {key: value for key, value in base.items() if key != "run"}
    return parse_search(
        raw, base["seed"], folds, MONITORS[base["kind"]], where, context=digest(shared)
    )


def check_plan(study: dict, search: Search, base: dict[str, Any]) -> None:
    """Raise FoldwiseError with all that is wrong with a study's search, before anything starts."""

    def refuse(changes: dict[str, Any]) -> str:
        try:
            with_changes(study, "trial", changes, "")
        except FoldwiseError as error:
            return str(error).removeprefix(": ")
        return ""

    check_search(search, dotted(base), refuse, where=f"{study['name']}: search")


def as_seen_by(raw: dict[str, Any], search: Search, number: int) -> dict[str, Any]:
    """The search's branch with later trials cut off: the same however many are added.

    It is what a trial's rules have as params, so that raising `trials` reruns none of them.
    """
    seen = {key: value for key, value in raw.items() if key not in LOOSE}
    if not raw.get("phases"):
        return seen | {"trials": number + 1}
    index = search.phases.index(search.phase(number))
    phases = [dict(phase) for phase in raw["phases"][: index + 1]]
    phases[-1]["trials"] = number + 1 - search.phases[index].first
    return seen | {"phases": phases}
