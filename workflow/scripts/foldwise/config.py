"""Studies as the workflow sees them: loaded, checked, with runs resolved to full settings.

Standard library, PyYAML and jsonschema only: this runs whenever the DAG is built.
"""

import copy
from pathlib import Path
from typing import Any

from foldwise.errors import FoldwiseError, nearest
from foldwise.kinds import KINDS, check_kind, task_settings, with_defaults
from foldwise.schema import check, read_yaml
from foldwise.train.settings import read_settings

# What a run may change: branches that cohort, cache and folds do not read.
RUN_BRANCHES = ("model", "loss", "training", "augment", "seed")


def load_study(name: str, folder: str | Path = "config/studies") -> dict:
    """Settings of the study in `<folder>/<name>.yaml`, checked and complete."""
    path = Path(folder) / f"{name}.yaml"
    if not path.is_file():
        known = sorted(file.stem for file in Path(folder).glob("*.yaml"))
        raise FoldwiseError(
            f"Study '{name}': no file {path}.{nearest(name, known)} "
            f"Studies there: {', '.join(known) or 'none'}."
        )
    study = check("study", with_defaults(read_yaml(path)), str(path))
    study["name"] = name
    _check_classes(study, str(path))
    for run in study["runs"]:
        run_settings(study, run, str(path))
    return study


def _check_classes(study: dict, where: str) -> None:
    classes = study["data"]["classes"]
    mapped, order = set(classes["mapping"].values()), classes["order"]
    if KINDS[study["kind"]].classes and len(order) < 2:
        raise FoldwiseError(
            f"{where}: data.classes.order: {len(order)} classes; name at least two, lowest first."
        )
    for name in sorted(mapped ^ set(order)):
        side = "mapped to but not in order" if name in mapped else "in order but never mapped to"
        raise FoldwiseError(
            f"{where}: data.classes: class '{name}' is {side}.{nearest(name, mapped | set(order))}"
            " Name it in both data.classes.mapping and data.classes.order."
        )


def override(settings: dict, changes: dict[str, Any], where: str) -> dict:
    """A copy of `settings` with values set by dotted path; an unknown path is an error."""
    changed = copy.deepcopy(settings)
    for path, value in changes.items():
        *branches, leaf = path.split(".")
        part = changed
        for step in branches:
            part = part.get(step) if isinstance(part, dict) else None
        if not isinstance(part, dict) or leaf not in part:
            known = dotted({key: settings[key] for key in RUN_BRANCHES if key in settings})
            raise FoldwiseError(f"{where}: unknown setting '{path}'.{nearest(path, known)}")
        part[leaf] = value
    return changed


def dotted(settings: dict, prefix: str = "") -> dict[str, Any]:
    """Leaves of nested settings by dotted path."""
    leaves = {}
    for key, value in settings.items():
        if isinstance(value, dict) and value:
            leaves |= dotted(value, f"{prefix}{key}.")
        else:
            leaves[prefix + key] = value
    return leaves


def run_settings(study: dict, run: str, where: str = "") -> dict:
    """All settings of one run, resolved: what stands in its `params.json`.

    The run `<name>_seed<number>` is the run `<name>` with that seed.
    """
    name, _, seed = run.rpartition("_seed")
    changes = dict(study["runs"].get(run, {}))
    if run not in study["runs"] and name in study["runs"] and seed.isdigit():
        changes = study["runs"][name] | {"seed": int(seed)}
    return with_changes(study, run, changes, f"{where}: runs.{run}")


def with_changes(study: dict, run: str, changes: dict[str, Any], where: str) -> dict:
    """Settings of a run that differs from the study by `changes` (dotted path to value)."""
    for path in changes:
        if path.split(".")[0] not in RUN_BRANCHES:
            raise FoldwiseError(
                f"{where}: '{path}' cannot differ between runs; only {', '.join(RUN_BRANCHES)} "
                "can. Make it a study of its own."
            )
    plain = {key: value for key, value in study.items() if key != "name"}
    settings = check("study", override(plain, changes, where), where)
    check_kind(settings, where)
    read_settings(settings, where)
    return {
        "run": run,
        "kind": settings["kind"],
        "image": settings["image"],
        "task": task_settings(settings) | joined(study["name"], settings["model"]),
        **{branch: settings[branch] for branch in RUN_BRANCHES},
    }


def joined(study: str, model: dict) -> dict[str, str]:
    """What a task is told of embeddings that are joined to the head's input: their folder."""
    folder = model["embeddings"]
    return (
        {"embeddings": f"results/{study}/embeddings" if folder == "resnet50" else folder}
        if folder
        else {}
    )
