"""The best parameters of a search, in the files that others go on from."""

import statistics
from collections.abc import Sequence
from typing import Any

import yaml

from foldwise.search.plan import changes_of
from foldwise.search.ranking import best
from foldwise.search.settings import Search
from foldwise.search.trials import Observation, trial_name
from foldwise.settings.changes import PLACES, override
from foldwise.settings.kinds import with_task
from foldwise.settings.teachers import changed, split

# What stands in the place of a path in a file that may be passed on.
LEFT_OUT = "LEFT OUT"


def best_params(study: str, search: Search, observations: Sequence[Observation]) -> dict[str, Any]:
    """Content of `<study>_best_params.json`.

    It says nothing of how many trials there were, so that more trials with the same best change
    nothing that is made from it. `epochs` is the mean of the folds' best epochs.
    """
    chosen, objective = best(observations, search), search.objectives[0]
    return {
        "study_name": study,
        "best_trial": chosen.suggestion.number,
        "best_params": dict(chosen.suggestion.params),
        "best_value": chosen.result.values[0],
        "objective": objective.metric,
        "direction": objective.direction,
        "changes": changes_of(chosen.suggestion),
        "epochs": round(statistics.mean(fold.best for fold in chosen.result.folds)),
    }


def best_config(settings: dict[str, Any], chosen: dict[str, Any]) -> str:
    """Text of `best_config.yaml`: the study with the best parameters, to be run as it is.

    `settings` is the study as loaded; its search is left out, as it is over. `chosen` is as
    `best_params` gives it.
    """
    kept = {key: value for key, value in settings.items() if key not in ("name", "search")}
    # Figures of a search that this study does not have.
    kept["report"] = kept["report"] | {"search": []}
    own, of_teacher = split(chosen["changes"])
    study = override(kept, own, "best_config.yaml")
    if of_teacher:
        # No search is left there that would name such a run: the teacher itself is that one.
        teacher = study["training"]["teacher"]
        study["runs"][teacher] = (study["runs"][teacher] or {}) | of_teacher
    head = f"# The study with the parameters of {trial_name(chosen['best_trial'])}, its best.\n"
    return head + yaml.safe_dump(study, sort_keys=False, allow_unicode=True)


def with_places_left_out(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings in which LEFT_OUT stands for each place of the archive, its table and lists."""
    data = dict(settings["data"])
    for name in PLACES:
        if isinstance(data[name], dict):
            data[name] = {
                key: LEFT_OUT if value and (name == "splits" or key == "path") else value
                for key, value in data[name].items()
            }
        elif data[name]:
            data[name] = LEFT_OUT
    return settings | {"data": data}


def tuned_params(base: dict[str, Any], chosen: dict[str, Any], run: str, seed: int) -> dict:
    """Content of params.json of a run with the best parameters; `chosen` as `best_params` gives."""
    return with_task(changed(base, chosen["changes"], run)) | {"run": run, "seed": seed}


def nested_params(base: dict[str, Any], chosen: dict[str, Any], run: str) -> dict[str, Any]:
    """Content of params.json of a run that an outer fold judges.

    The outer fold may choose nothing, so training ends after as many epochs as were best on average
    in the inner folds, and keeps its last weights.
    """
    epochs = max(chosen["epochs"], 1)
    params = tuned_params(base, chosen, run, base["seed"])
    return params | {"training": params["training"] | {"stop_after": epochs}}
