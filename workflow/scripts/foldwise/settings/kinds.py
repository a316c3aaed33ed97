"""What each kind of study may name, what it takes where nothing is named, what its task is told.

Standard library only: studies are checked against this when the DAG is built.
"""

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from foldwise import registry
from foldwise.errors import FoldwiseError, choose
from foldwise.metrics import monitors
from foldwise.settings import heads as head_settings
from foldwise.settings import zones as zone_settings

SECOND = "second_reader"  # the baseline that the table itself holds


@dataclass(frozen=True)
class Kind:
    """One kind of study.

    The first of `models` and of `losses` is what it takes where none is named; `task` tells where
    in the settings each of its task's own settings stands; `defaults` are values by branch and
    dotted path in it, of which the first decides for all; `readers`: None takes any.
    """

    models: tuple[str, ...]
    losses: tuple[str, ...]
    task: Mapping[str, str]
    defaults: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    readers: tuple[str, ...] | None = None
    vision: bool = False  # its models are networks of pictures alone, any of the registry's
    classes: bool = False  # the label is one of data.classes.order
    sampling: bool = False  # training.sampler may be `weighted`
    tiles: bool = False  # the answer is a picture, so that tiles of one can be put together
    zones: bool = False  # the label is a score for each zone
    heads: bool = False  # several labels, each with classes of its own, and texts as input
    teaches: bool = False  # a run may learn from another run's answers
    baselines: tuple[str, ...] = ()  # classical methods to compare with
    halves: bool = False  # the network halves pictures model.levels times, without a rest


KINDS = {
    "classification": Kind(
        models=("small_cnn", *registry.VISION),
        losses=tuple(registry.CLASS_LOSSES),
        task={"classes": "data.classes.order"},
        vision=True,
        classes=True,
        sampling=True,
        baselines=("logistic_statistics", "second_reader"),
    ),
    "zones": Kind(
        models=("small_cnn", *registry.VISION),
        losses=tuple(registry.ZONE_LOSSES),
        task={
            "zones": "data.columns.zones",
            "mirror": "data.mirror",
            "both_ways": "model.both_ways",
        },
        defaults=zone_settings.DEFAULTS,
        readers=("zones",),
        vision=True,
        zones=True,
        baselines=("ridge_pixels", "second_reader"),
    ),
    "segmentation": Kind(
        models=tuple(registry.SEGMENTERS),
        losses=tuple(registry.MASK_LOSSES),
        task={"threshold": "model.threshold", "tiles": "training.tiles"},
        defaults={"folds": {"strata": "foreground", "bins": 5}},
        readers=("pairs",),
        tiles=True,
        baselines=("otsu", "otsu_smaller", "otsu_flat", "otsu_median"),
        halves=True,
    ),
    "distillation": Kind(
        models=tuple(registry.VISION_TEXT),
        losses=tuple(registry.TWO_HEAD_LOSSES),
        task={
            "heads": "data.heads.*.order",
            "ordered": "data.heads.*.ordered",
            "text": "model.text",
        },
        readers=("text", "medpix"),
        heads=True,
        teaches=True,
        baselines=("logistic_text", "logistic_pixels", "logistic_text_pixels"),
    ),
}


def with_defaults(raw: Any) -> Any:
    """Settings as a study file states them, with its kind's own defaults where it says nothing."""
    kind = KINDS.get(raw.get("kind")) if isinstance(raw, dict) else None
    if kind is None:
        return raw
    own = {"model": {"name": kind.models[0]}, "loss": {"name": kind.losses[0]}} | kind.defaults
    filled = copy.deepcopy(raw)
    for branch, values in own.items():
        paths = [f"{branch}.{name}" for name in values]
        # The first decides for all: a study's own zones must not get the pairs of ours.
        if not _stated(filled, paths[0]):
            for path, value in zip(paths, values.values(), strict=True):
                if not _stated(filled, path):
                    _put(filled, path, copy.deepcopy(value))
    return filled


def _stated(settings: dict, path: str) -> bool:
    """Whether a study file says anything here; what is no mapping is the schema's to refuse."""
    part: Any = settings
    for step in path.split("."):
        if not isinstance(part, dict):
            return True
        if step not in part:
            return False
        part = part[step]
    return True


def _put(settings: dict, path: str, value: Any) -> None:
    *branches, leaf = path.split(".")
    for step in branches:
        settings = settings.setdefault(step, {})
    settings[leaf] = value


def task_settings(study: dict) -> dict[str, Any]:
    """What a task is told of the study: the branch `task` of a run's params."""
    return {name: at(study, path) for name, path in KINDS[study["kind"]].task.items()}


def with_task(params: dict) -> dict:
    """Params of a run whose task is told again what it is told of the branches in them."""
    of_task = {
        name: at(params, path)
        for name, path in KINDS[params["kind"]].task.items()
        if path.partition(".")[0] in params
    }
    return params | {"task": params["task"] | of_task}


def at(settings: dict, path: str) -> Any:
    """The value at a dotted path; `*` takes them all, as a mapping."""
    step, _, rest = path.partition(".")
    if step == "*":
        return {name: at(inner, rest) for name, inner in settings.items()}
    return at(settings[step], rest) if rest else settings[step]


def baselines_of(study: dict) -> list[str]:
    """What a study is compared with: those it names, or all of its kind that its table allows."""
    named = study["report"]["baselines"]
    if named is not None:
        return list(named)
    second = study["data"]["columns"]["second"]
    return [one for one in KINDS[study["kind"]].baselines if one != SECOND or second]


def has_suspects(study: Mapping[str, Any]) -> bool:
    """Whether wrong labels can be looked for: classes, zones or masks are predicted."""
    kind = KINDS[study["kind"]]
    return kind.classes or kind.heads or kind.zones or kind.tiles


def has_classes(study: Mapping[str, Any]) -> bool:
    """Whether each image is given a probability of each class of a label, or of several."""
    kind = KINDS[study["kind"]]
    return kind.classes or kind.heads


def has_holdout(study: dict) -> bool:
    """Whether a holdout is to be judged, from the settings alone: before the cohort as after it.

    A preset column may turn out to name none; its holdout is then judged as one of no images.
    """
    folds, files = study["folds"], study["data"]["splits"]
    if folds["preset"] is None:
        return folds["holdout"] > 0
    return folds["preset"] == "test" or not files or "test" in files


def check_kind(settings: dict, where: str) -> None:
    """Raise FoldwiseError for settings, each fine by itself, that this kind cannot run with."""
    name, kind = settings["kind"], KINDS[settings["kind"]]
    _check_network(settings["model"], kind, f"{name} model", where)
    choose(settings["loss"]["name"], kind.losses, f"{name} loss", f"{where}: loss.name")
    if kind.readers is not None:
        reader = settings["data"]["reader"]
        choose(reader, kind.readers, f"{name} reader", f"{where}: data.reader")
    zone_settings.check_zones(settings, kind.zones, where)
    head_settings.check_heads(settings, kind.heads, where)
    _check_baselines(settings, kind, where)
    if settings["model"]["embeddings"] and not kind.classes:
        raise FoldwiseError(
            f"{where}: model.embeddings: networks of kind {name} join none to their head. Set it "
            "to null."
        )
    training = settings["training"]
    if training["monitor"] is not None:
        choose(training["monitor"], monitors(name), f"{name} metric", f"{where}: training.monitor")
    if training["teacher"] and not kind.teaches:
        raise FoldwiseError(
            f"{where}: training.teacher: runs of kind {name} do not learn from a teacher. Set it "
            "to null."
        )
    if training["sampler"] == "weighted" and not kind.sampling:
        raise FoldwiseError(
            f"{where}: training.sampler: 'weighted' evens out classes, which studies of kind "
            f"{name} do not have. Set it to shuffle."
        )
    if training["tiles"]["size"] and not kind.tiles:
        raise FoldwiseError(
            f"{where}: training.tiles.size: the answer of a {name} study is none that tiles could "
            "be put together to. Set it to null, or lower image.size."
        )
    _check_sides(settings, kind, where)


def _check_network(model: dict, kind: Kind, what: str, where: str) -> None:
    # timm has names of its own, which only timm can check.
    if kind.vision and registry.has("VISION", model["name"]):
        _check_normalisation(model, where)
    else:
        choose(model["name"], kind.models, what, f"{where}: model.name")


def _check_normalisation(model: dict, where: str) -> None:
    """ImageNet weights answer to pixels normalised as theirs were."""
    wanted = registry.NETWORKS.get(model["name"], {}).get("normalisation")
    given = model["normalisation"]
    if wanted and model["weights"] == "imagenet" and given in {"imagenet", "half"} - {wanted}:
        raise FoldwiseError(
            f"{where}: model.normalisation: {given}, but the ImageNet weights of {model['name']} "
            f"were made with {wanted}. Set it to {wanted}, or to train."
        )


def _check_baselines(settings: dict, kind: Kind, where: str) -> None:
    second = settings["data"]["columns"]["second"]
    for baseline in settings["report"]["baselines"] or ():
        what = f"{settings['kind']} baseline"
        choose(baseline, kind.baselines, what, f"{where}: report.baselines")
        if baseline == SECOND and not second:
            raise FoldwiseError(
                f"{where}: report.baselines: {SECOND} needs the columns of a second reader's "
                "labels. Name them in data.columns.second."
            )
    if second and SECOND not in kind.baselines:
        raise FoldwiseError(
            f"{where}: data.columns.second: {settings['kind']} studies are not compared with a "
            "second reader. Take it out."
        )


def _check_sides(settings: dict, kind: Kind, where: str) -> None:
    """Sides that the network cannot take; a job would find out after all images are decoded."""
    training, model = settings["training"], settings["model"]
    name = model["vision"]["name"] if kind.heads else model["name"]
    needs = registry.sides_of(name)
    step, least = needs["step"], needs["least"]
    if kind.halves:
        step = 2 ** model["levels"]
    sides = {"image.size": [settings["image"]["size"]]}
    sides["training.stages"] = [side for stage in training["stages"] for side in _listed(stage)]
    sides["training.tiles.size"] = [training["tiles"]["size"]] if training["tiles"]["size"] else []
    for key, side in ((key, side) for key, values in sides.items() for side in values):
        if side < least:
            raise FoldwiseError(
                f"{where}: {key}: {side} is too small for {name}, which halves the picture several "
                f"times. Take {least} or more, or another network."
            )
        if side % step:
            below = max(side // step, 1) * step
            raise FoldwiseError(
                f"{where}: {key}: {side} is no multiple of {step}, which {name} needs, since it "
                f"halves the picture or cuts it into patches. Take {below} or {below + step}."
            )


def _listed(stage: dict) -> Iterable[int]:
    return stage["size"] if isinstance(stage["size"], list) else [stage["size"]]
