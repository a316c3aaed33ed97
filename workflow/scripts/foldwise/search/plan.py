"""A study's search as the rules see it: checked, and what each trial must know of it.

Standard library and the package's schema reader only: this runs when the DAG is built.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldwise.errors import FoldwiseError
from foldwise.hashing import digest
from foldwise.metrics import judging
from foldwise.search.check import batch_faults, check_search
from foldwise.search.settings import Search, parse_search
from foldwise.search.trials import Suggestion, trial_file, trial_name
from foldwise.settings.changes import dotted, present
from foldwise.settings.kinds import with_task
from foldwise.settings.study import load_configured, with_changes
from foldwise.settings.teachers import changed, check_changes
from foldwise.settings.yaml_file import read_yaml

# What does not decide any trial, so that a change of it makes none again.
LOOSE = ("trials", "max_failed", "seeds", "inner_folds", "keep")
# Of these, what does not decide which trial is the best either.
OF_OTHERS = ("max_failed", "seeds", "inner_folds", "keep")


@dataclass(frozen=True)
class Plan:
    """A study with its search: the branch as written, as read, and what all trials share."""

    raw: dict[str, Any]
    base: dict[str, Any]
    folds: list[int]
    search: Search

    def of_trial(self, number: int) -> dict[str, Any]:
        """Params of the rules of trial `number`; `search_from_params` reads them."""
        seen = as_seen_by(self.raw, self.search, number)
        return {"search": seen, "base": self.base, "folds": self.folds}

    def choice(self) -> dict[str, Any]:
        """Params of rules that choose among all trials; `search_from_params` reads them."""
        raw = {key: value for key, value in self.raw.items() if key not in OF_OTHERS}
        return {"search": raw, "base": self.base, "folds": self.folds}

    def whole(self) -> dict[str, Any]:
        """Params of rules that concern all trials."""
        # How many are kept is asked after they are all there, and makes no table or figure anew.
        raw = {key: value for key, value in self.raw.items() if key != "keep"}
        return {"search": raw, "base": self.base, "folds": self.folds}


def plan_of(study: dict, folds: list[int]) -> Plan | None:
    """The plan of a study's search, or None if it has none."""
    raw = study["search"]
    if raw is None:
        return None
    base = trial_base(study)
    where = f"{study['name']}: search"
    raw = raw | {"space": present(space_of(raw["space"], where))}
    return Plan(raw, base, folds, read_search(raw, base, folds, where))


def space_of(space: dict[str, Any] | str, where: str) -> dict[str, Any]:
    """The space as it stands in the study, or in the file that the study names."""
    if isinstance(space, dict):
        return space
    if not Path(space).is_file():
        raise FoldwiseError(
            f"{where}.space: no file {space}. Spaces to start from are in config/searches."
        )
    content = read_yaml(space)
    if not isinstance(content, dict):
        raise FoldwiseError(f"{space}: not a space. Write `setting: {{type: ..., ...}}` lines.")
    return content


def search_from_params(params: Mapping[str, Any]) -> Search:
    """The search from what a rule was told in its params."""
    return read_search(params["search"], params["base"], params["folds"])


def trial_base(study: dict) -> dict[str, Any]:
    """Settings that all trials of a study share: those of a run without changes."""
    return with_changes(study, "trial", {}, f"{study['name']}: search")


def read_search(
    raw: dict[str, Any], base: dict[str, Any], folds: list[int], where: str = "search"
) -> Search:
    """The search of the branch `raw` for trials that change the settings `base`."""
    # The run's name is no setting: trials of a study that is renamed stay the same.
    shared = {key: value for key, value in base.items() if key != "run"}
    metrics = judging(base["kind"], base["task"])
    return parse_search(raw, base["seed"], folds, metrics, where, context=digest(shared))


def check_plan(study: dict, plan: Plan) -> None:
    """Raise FoldwiseError with all that is wrong with a study's search, before anything starts."""

    def refuse(changes: dict[str, Any]) -> str:
        try:
            check_changes(study, "trial", changes, "")
        except FoldwiseError as error:
            return str(error).removeprefix(": ")
        return ""

    check_search(plan.search, dotted(plan.base), refuse, where=f"{study['name']}: search")


def another_search(runs: str | Path, search: Search) -> str:
    """What to tell of trials in `runs` that another space or other settings made, or ''."""
    path = trial_file(runs, 0, "suggestion.json")
    try:
        identity = json.loads(path.read_text(encoding="utf-8"))["identity"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    if identity == search.identity(0):
        return ""
    return (
        "the space or the settings of the search are not those of the trials that there are: it is "
        "a new search, and all trials are made anew in place of the old ones. To keep those, copy "
        f"{Path(runs).parent}/search and {path.parents[1]}/trial_* before you run it."
    )


def check_batches(
    search: Search, settings: Mapping[str, Any], train_images: int, where: str
) -> None:
    """Raise FoldwiseError where a batch of the space is larger than the smallest training part."""
    # The smallest subset: a batch must fit into every phase's training part.
    share = min(phase.budget.subset for phase in search.phases)
    faults = list(batch_faults(search.space, settings, int(train_images * share), where))
    if faults:
        raise FoldwiseError("\n".join(faults))


def outer_study(study: dict, outer: int) -> dict:
    """The study inside outer fold `outer`: its training part, searched over folds of its own.

    Nothing else differs, so every rule serves it as it is.
    """
    raw = dict(study["search"])
    if raw["folds"] is not None:
        count = raw["folds"] if isinstance(raw["folds"], int) else len(raw["folds"])
        raw["folds"] = min(count, raw["inner_folds"])
    folds = {**study["folds"], "n": raw["inner_folds"], "holdout": 0, "preset": None}
    return {**study, "name": f"{study['name']}.outer_{outer}", "folds": folds, "search": raw}


def as_seen_by(raw: dict[str, Any], search: Search, number: int) -> dict[str, Any]:
    """The search's branch with later trials cut off: the same however many are added.

    It is what a trial's rules have as params, so that raising `trials` reruns none of them.
    """
    seen = {key: value for key, value in raw.items() if key not in LOOSE}
    # Not what is planned, but up to this trial: so the branch of an old trial never changes.
    if not raw["phases"]:
        return seen | {"trials": number + 1}
    index = search.phases.index(search.phase(number))
    phases = [dict(phase) for phase in raw["phases"][: index + 1]]
    phases[-1]["trials"] = number + 1 - search.phases[index].first
    return seen | {"phases": phases}


def failure_limit(study: str, config: Mapping[str, Any]) -> float:
    """Share of failed trials above which a search stops.

    It stops a search and decides no trial, so that it is read from the file when it is needed and
    is no param of any rule: a changed limit makes no trial again.
    """
    name = study.partition(".")[0]
    return load_configured(name, config)["search"]["max_failed"]


def trial_params(base: dict[str, Any], suggestion: Suggestion) -> dict[str, Any]:
    """Content of a trial's params.json: the shared settings with its parameters and epochs."""
    name = trial_name(suggestion.number)
    return with_task(changed(base, changes_of(suggestion), name)) | {"run": name}


def changes_of(suggestion: Suggestion) -> dict[str, Any]:
    """What a trial changes in the study's settings, by dotted path."""
    epochs = {"training.epochs": suggestion.epochs} if suggestion.epochs else {}
    return {**epochs, **suggestion.params}


def most_epochs(params: Mapping[str, Any]) -> int:
    """The most epochs that a fold of a run is trained."""
    training = params["training"]
    return sum(stage["epochs"] for stage in training["stages"]) or training["epochs"]
