"""Studies as the workflow sees them: loaded, checked, with runs resolved to full settings.

Standard library, PyYAML and jsonschema only: this runs whenever the DAG is built.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from foldwise.errors import FoldwiseError, nearest
from foldwise.settings.changes import dotted, override, parse_changes, present
from foldwise.settings.kinds import KINDS, check_kind, task_settings, with_defaults
from foldwise.settings.rules import check_rules
from foldwise.settings.schema import check
from foldwise.settings.validation import with_bundle
from foldwise.settings.yaml_file import read_yaml

# Settings of the loss that a run without a teacher does not read.
OF_TEACHER = ("alpha", "beta", "temperature", "tau")
# Weights of what compares features.
OF_FEATURES = ("feature", "contrastive", "mmd", "relational_distance", "relational_angle")
OF_TEACHER += OF_FEATURES
# What a run may change: branches that cohort, cache and folds do not read.
RUN_BRANCHES = ("model", "loss", "training", "augment", "seed")
# Of these branches, what is used once for a study.
OF_STUDY = ("model.embedding_weights",)


def load_study(name: str, folder: str | Path = "config/studies", changes: str = "") -> dict:
    """Settings of the study in `<folder>/<name>.yaml`, checked and complete.

    `changes`: what stands in their place, as `--config set` gives it.
    """
    path = Path(folder) / f"{name}.yaml"
    if not path.is_file():
        names = sorted(file.stem for file in Path(folder).glob("*.yaml"))
        raise FoldwiseError(
            f"Study '{name}': no file {path}.{nearest(name, names)} "
            f"Studies there: {', '.join(names) or 'none'}."
        )
    raw = with_bundle(read_yaml(path), str(path))
    study = check("study", with_defaults(raw), str(path))
    if changes:
        place = f"{path} with --config set"
        study = check("study", override(study, parse_changes(changes), place), place)
    study["name"] = name
    study["runs"] = {run: present(changes) for run, changes in study["runs"].items()}
    _check_classes(study, str(path))
    low, high = study["image"]["percentiles"]
    # Between two keys, which a schema cannot say.
    if low >= high:
        raise FoldwiseError(
            f"{path}: image.percentiles: {low} is not below {high}. Write the lower one first."
        )
    for run in study["runs"]:
        run_settings(study, run, str(path))
    check_teachers(study, str(path))
    check_compared(study, str(path))
    check_seeds(study, str(path))
    return study


def configured(path: str | Path, names: list[str] | None = None) -> list[dict]:
    """Settings of the studies that the config file at `path` names, or of `names`."""
    config = check("config", read_yaml(path), str(path))
    return [load_configured(name, config) for name in names or config["studies"]]


def load_configured(name: str, config: Mapping[str, Any]) -> dict:
    """The study `name` as the checked config file, or the command line, has it."""
    return load_study(name, config["folder"], config["set"])


def _check_classes(study: dict, where: str) -> None:
    classes = study["data"]["classes"]
    mapped, order = set(classes["mapping"].values()), classes["order"]
    if KINDS[study["kind"]].classes and len(order) < 2:
        raise FoldwiseError(
            f"{where}: data.classes.order names {len(order)}; name at least two, lowest first."
        )
    if not mapped:
        return  # each class stands for itself
    for name in sorted(mapped ^ set(order)):
        side = "mapped to but not in order" if name in mapped else "in order but never mapped to"
        others = set(order) - mapped if name in mapped else mapped - set(order)
        raise FoldwiseError(
            f"{where}: data.classes: class '{name}' is {side}.{nearest(name, others)}"
            " Name it in both data.classes.mapping and data.classes.order."
        )


def run_settings(study: dict, run: str, where: str = "") -> dict:
    """All settings of one run, resolved: what stands in its `params.json`.

    The run `<name>_seed<number>` is the run `<name>` with that seed, `<name>_part<number>` that run
    on so many per cent of its training part; `baseline_<name>` is a classical method, which knows
    nothing of networks and their training.
    """
    if run.startswith("baseline_"):
        kept = ("kind", "seed", "image", "task")
        settings = with_changes(study, run, {}, f"{where}: runs.{run}")
        monitor = {"monitor": settings["training"]["monitor"]}
        return {"run": run, "training": monitor} | {name: settings[name] for name in kept}
    _, what, number = origin(study, run)
    settings = with_changes(study, run, changes_of_run(study, run), f"{where}: runs.{run}")
    return settings | ({"part": number / 100} if what == "part" else {})


def origin(study: dict, run: str) -> tuple[str, str, int]:
    """The run that `run` is a repeat of, by what ("seed", "part" or ""), and that number."""
    # Greedy, from the right: a run may be called so itself, such as fixed_seed_seed7.
    match = re.fullmatch(r"(.+)_(seed|part)(\d+)", run)
    if run in study["runs"] or match is None or match[1] not in study["runs"]:
        return run, "", 0
    return match[1], match[2], int(match[3])


def changes_of_run(study: dict, run: str) -> dict[str, Any]:
    """What a run changes: its own, or of `<name>_seed<number>` those of `<name>` and the seed."""
    name, what, number = origin(study, run)
    changes = dict(study["runs"].get(name) or {})
    return changes | ({"seed": number} if what == "seed" else {})


def setting_of(study: dict, run: str, path: str) -> Any:
    """A setting of a run by its dotted path: what the run changes it to, else the study's own."""
    changes = changes_of_run(study, run)
    if path in changes:
        return changes[path]
    # No copy of the settings: this is asked for each fold of each trial when the DAG is built.
    value: Any = study
    for step in path.split("."):
        value = value[step]
    return value


def teacher_of(study: dict, run: str) -> str | None:
    """The run whose answers `run` (also a trial) learns from, if any."""
    return setting_of(study, run, "training.teacher")


def answers_of(study: dict, run: str) -> str:
    """`cross_fitted` or `in_sample`: which answers of its teacher `run` (also a trial) reads."""
    stated = setting_of(study, run, "training.answers")
    if stated != "auto":
        return stated
    space = study["search"]["space"] if study["search"] and run.startswith("trial_") else {}
    weights = {f"loss.{term}": study["loss"].get(term) for term in OF_FEATURES}
    named = weights | dict.fromkeys(space, 1) | changes_of_run(study, run)
    return "in_sample" if any(named[name] for name in weights) else "cross_fitted"


def model_of(study: dict, run: str) -> dict[str, Any]:
    """The branch `model` of a run; empty for a run that is not there."""
    return override(study, changes_of_run(study, run), f"runs.{run}")["model"]


def check_compared(study: dict, where: str) -> None:
    """Raise FoldwiseError for a run, or a search, of the report that the study has not."""
    report = study["report"]
    if report["search"] and study["search"] is None:
        raise FoldwiseError(
            f"{where}: report.search: {', '.join(report['search'])}, but the study has no search. "
            "Add `search:` (docs/search.md), or take it out of the report."
        )
    for run in report["compare"]:
        if run not in study["runs"] or run == report["run"]:
            fault = (
                "is the reported run itself" if run == report["run"] else "is no run of the study"
            )
            raise FoldwiseError(
                f"{where}: report.compare: '{run}' {fault}.{nearest(run, study['runs'])} Runs: "
                f"{', '.join(study['runs'])}."
            )


def check_seeds(study: dict, where: str) -> None:
    """Raise FoldwiseError for a seed that is the reported run's own: it would show no spread."""
    run = study["report"]["run"]
    own = setting_of(study, run, "seed")
    if own in study["seeds"]:
        raise FoldwiseError(
            f"{where}: seeds: {own} is the seed of run {run} itself, which is counted anyway. "
            "Take it out, or name another."
        )


def check_teachers(study: dict, where: str) -> None:
    """Raise FoldwiseError for a teacher that is no run, or is taught by its own student."""
    for run in study["runs"]:
        line = [run]
        while teacher := teacher_of(study, line[-1]):
            if teacher not in study["runs"]:
                raise FoldwiseError(
                    f"{where}: training.teacher of run {line[-1]}: no run '{teacher}'."
                    f"{nearest(teacher, study['runs'])} Runs: {', '.join(study['runs'])}."
                )
            if teacher in line:
                raise FoldwiseError(
                    f"{where}: run {teacher} is its own teacher ({' <- '.join([*line, teacher])}). "
                    f"Set `training.teacher: null` in runs.{teacher}."
                )
            line.append(teacher)


def with_changes(study: dict, run: str, changes: dict[str, Any], where: str) -> dict:
    """Settings of a run that differs from the study by `changes` (dotted path to value)."""
    for path in changes:
        if path.split(".")[0] not in RUN_BRANCHES or path in OF_STUDY:
            reason = f"only {', '.join(RUN_BRANCHES)} can"
            if path in OF_STUDY:
                reason = "it is used once for a whole study"
            raise FoldwiseError(
                f"{where}: '{path}' cannot differ between runs; {reason}. Make it a study of its "
                "own."
            )
    plain = {key: value for key, value in study.items() if key != "name"}
    settings = check("study", override(plain, changes, where), where)
    check_kind(settings, where)
    check_rules(dotted(settings), where)
    teacher = settings["training"]["teacher"]
    taught = {"teacher": {"run": teacher, "model": model_of(study, teacher)}} if teacher else {}
    return taught | {
        "run": run,
        "kind": settings["kind"],
        "image": settings["image"],
        "task": task_settings(settings) | joined(study["name"], settings["model"]),
        **{branch: settings[branch] for branch in RUN_BRANCHES},
        "loss": _loss_that_is_read(settings),
    }


def _loss_that_is_read(settings: dict) -> dict[str, Any]:
    """The branch `loss`, without what concerns a teacher in a run that has none.

    So a teacher stays as it is when its students' weights change.
    """
    loss = settings["loss"]
    if settings["training"]["teacher"] or not KINDS[settings["kind"]].teaches:
        return loss
    return {name: value for name, value in loss.items() if name not in OF_TEACHER}


def joined(study: str, model: dict) -> dict[str, str]:
    """What a task is told of embeddings that are joined to the head's input: their folder.

    One made elsewhere may name images by path or accession, which the private list knows.
    """
    folder = model["embeddings"]
    if not folder:
        return {}
    if folder == "resnet50":
        return {"embeddings": f"results/{study}/embeddings"}
    id_map = f"results/{study.partition('.')[0]}/private/id_map.csv"
    return {"embeddings": folder, "id_map": id_map}
