"""A search checked before anything starts: what would waste trials or could never run.

Standard library only: this runs when the DAG is built.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from foldwise import registry
from foldwise.errors import FoldwiseError
from foldwise.search.settings import Search
from foldwise.search.space import Parameter, Space, numeric


@dataclass(frozen=True)
class Read:
    """`key` is read only where `by` is one of `only`, or is none of `never`."""

    key: str
    by: str
    only: tuple = ()
    never: tuple = ()

    def reads(self, value: Any) -> bool:
        """True if a run with `by` at `value` reads `key`."""
        return value in self.only if self.only else value not in self.never


CLASSES, MASKS = tuple(registry.CLASS_LOSSES), tuple(registry.MASK_LOSSES)
UNETS, VISION_TEXT = tuple(registry.SEGMENTERS), tuple(registry.VISION_TEXT)
COMBINED = ("combined", "combined_tversky")
FOCAL_MASKS = ("binary_focal", *COMBINED)
OF_VISION_TEXT = ("dim", "vision.name", "vision.weights", "text.name", "text.weights")
OF_VISION_TEXT += ("text.max_tokens", "fusion.name", "fusion.heads", "fusion.layers")
OF_VISION_TEXT += ("fusion.dropout",)
TVERSKY = ("tversky", "focal_tversky", "combined_tversky")

# A searched setting that nothing reads turns trials into repeats. Add a line where a setting
# depends on another.
READS = [
    Read("training.momentum", "training.optimizer", only=("sgd",)),
    Read("training.backbone_lr", "model.trainable_blocks", never=(0,)),
    Read("training.warmup_epochs", "model.trainable_blocks", never=(0,)),
    Read("training.schedule.factor", "training.schedule.name", only=("plateau", "step")),
    Read("training.schedule.patience", "training.schedule.name", only=("plateau",)),
    Read("training.schedule.step_epochs", "training.schedule.name", only=("step",)),
    Read("training.schedule.min_lr", "training.schedule.name", never=("none",)),
    Read("training.early_stopping.min_delta", "training.early_stopping.patience", never=(None,)),
    Read("training.tiles.overlap", "training.tiles.size", never=(None,)),
    Read("training.tiles.per_image", "training.tiles.size", never=(None,)),
    Read("loss.class_weights", "loss.name", only=CLASSES),
    Read("loss.unknown_weight", "loss.name", only=tuple(registry.ZONE_LOSSES)),
    Read("loss.ordinal_weight", "loss.name", only=("zone_ordinal",)),
    Read("loss.gamma", "loss.name", only=("focal", *FOCAL_MASKS)),
    Read("loss.alpha", "loss.name", only=(*FOCAL_MASKS, "distillation")),
    Read("loss.beta", "training.teacher", never=(None,)),
    Read("loss.temperature", "training.teacher", never=(None,)),
    Read("loss.temperature", "loss.beta", never=(0,)),
    Read("loss.feature", "training.teacher", never=(None,)),
    Read("loss.contrastive", "training.teacher", never=(None,)),
    Read("loss.relational_distance", "training.teacher", never=(None,)),
    Read("loss.relational_angle", "training.teacher", never=(None,)),
    Read("loss.mmd", "training.teacher", never=(None,)),
    Read("loss.tau", "training.teacher", never=(None,)),
    Read("loss.tau", "loss.contrastive", never=(0,)),
    Read("loss.label_smoothing", "loss.name", only=("cross_entropy",)),
    Read("loss.false_negative", "loss.name", only=TVERSKY),
    Read("loss.false_positive", "loss.name", only=TVERSKY),
    Read("loss.tversky_gamma", "loss.name", only=("focal_tversky",)),
    Read("loss.overlap_share", "loss.name", only=COMBINED),
    Read("loss.ramp_epochs", "loss.name", only=COMBINED),
    Read("loss.boundary_weight", "loss.name", only=MASKS),
    Read("loss.boundary_px", "loss.name", only=MASKS),
    Read("loss.boundary_px", "loss.boundary_weight", never=(0,)),
    Read("model.fusion.heads", "model.fusion.name", only=("cross_attention", "transformer")),
    Read("model.groups", "model.norm", only=("group",)),
    *(Read(f"model.{key}", "model.name", only=UNETS) for key in ("width", "norm", "groups")),
    Read("model.threshold", "model.name", only=UNETS),
    Read("model.weights", "model.name", never=VISION_TEXT),
    *(Read(f"model.{key}", "model.name", only=VISION_TEXT) for key in OF_VISION_TEXT),
    *(Read(f"model.{key}", "kind", only=("zones",)) for key in ("zone_windows", "both_ways")),
]


def warmup_too_long(values: Mapping[str, Any]) -> str:
    """Warm-up that fills all epochs."""
    if values["training.warmup_epochs"] >= values["training.epochs"]:
        return "warm-up fills all epochs, so the feature blocks are never trained"
    return ""


def weighted_twice(values: Mapping[str, Any]) -> str:
    """Classes weighted by the sampler and by the loss."""
    if values["training.sampler"] == "weighted" and values["loss.class_weights"] != "none":
        return "classes are weighted twice, by the sampler and by the loss"
    return ""


# Settings that a search must not vary, and why.
NEVER = {
    "seed": "the best seed is the luckiest draw",
    "training.threads": "threads change rounding and speed, not the model",
    "training.teacher": "a teacher is made once, before the trials; compare two named runs instead",
    "model.embeddings": "embeddings are made once for a study; compare two named runs instead",
}

# Combinations that cannot run or make no sense: a function of the settings that its keys name.
IMPOSSIBLE: list[tuple[tuple[str, ...], Callable[[Mapping[str, Any]], str]]] = [
    (("training.warmup_epochs", "training.epochs"), warmup_too_long),
    (("training.sampler", "loss.class_weights"), weighted_twice),
]


def check_search(
    search: Search,
    settings: Mapping[str, Any],
    refuse: Callable[[dict[str, Any]], str],
    where: str = "search",
) -> None:
    """Raise FoldwiseError that lists all faults of a search, one a line.

    Args:
        search: the search.
        settings: settings of the run that trials change, by dotted path.
        refuse: says why a run with these changes (dotted path to value) is refused, or ''.
        where: named in the message.
    """
    faults = list(value_faults(search.space, refuse, where))
    if not faults:
        faults += unread_faults(search.space, settings, where)
        faults += combination_faults(search.space, settings, where)
        faults += budget_faults(search, settings, where)
        faults += sampler_faults(search, where)
    if faults:
        raise FoldwiseError("\n".join(faults))


def probes(parameter: Parameter) -> list:
    """Values to ask about: all choices, or both ends of a range."""
    if parameter.kind == "categorical":
        return list(parameter.choices)
    return [parameter.low, parameter.high]


def value_faults(
    space: Space, refuse: Callable[[dict[str, Any]], str], where: str
) -> Iterator[str]:
    """Unknown keys and values that the study's schema refuses, each told once."""
    for parameter in space:
        if parameter.key in NEVER:
            yield f"{where}.space.{parameter.key}: not searched, as {NEVER[parameter.key]}."
            continue
        told = set()
        for value in probes(parameter):
            reason = refuse({parameter.key: value})
            if reason and reason not in told:
                told.add(reason)
                yield f"{where}.space.{parameter.key}: {reason}"


def values_of(key: str, space: Space, settings: Mapping[str, Any]) -> list:
    """Values that `key` takes in this search; the run's own where it is not searched or is off."""
    parameter = next((item for item in space if item.key == key), None)
    own = [settings[key]] if key in settings else []
    if parameter is None:
        return own
    listed = parameter.values() or probes(parameter)
    return listed + [value for value in own if parameter.when and value not in listed]


def unread_faults(space: Space, settings: Mapping[str, Any], where: str) -> Iterator[str]:
    """Searched settings that some or all trials would not read."""
    for parameter, rule in itertools.product(space, READS):
        if rule.key != parameter.key or rule.by not in settings:
            continue
        values = parameter.when.get(rule.by) or values_of(rule.by, space, settings)
        good = [value for value in values if rule.reads(value)]
        bad = [value for value in values if not rule.reads(value)]
        if bad and not good:
            yield (
                f"{where}.space.{parameter.key}: nothing reads it, since {rule.by} is "
                f"{listing(bad)}. Take it out of the space, or change {rule.by}."
            )
        elif bad:
            yield (
                f"{where}.space.{parameter.key}: nothing reads it where {rule.by} is "
                f"{listing(bad)}. Add `when: {{{rule.by}: [{listing(good)}]}}`."
            )


def unread(settings: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, str]:
    """Settings (by dotted path) that differ from the usual ones and that nothing reads -> why."""
    return {
        rule.key: f"{rule.by} is {listing([settings[rule.by]])}"
        for rule in READS
        if settings.get(rule.key) != usual.get(rule.key)
        and rule.by in settings
        and not rule.reads(settings[rule.by])
    }


def listing(values: list) -> str:
    """Values in one line, as YAML writes them."""
    names = {"None": "null", "True": "true", "False": "false"}
    return ", ".join(names.get(str(value), str(value)) for value in values)


def combination_faults(space: Space, settings: Mapping[str, Any], where: str) -> Iterator[str]:
    """Combinations that cannot run, listed."""
    searched = {parameter.key for parameter in space}
    for keys, tell in IMPOSSIBLE:
        if not searched & set(keys) or not set(keys) <= set(settings):
            continue
        found: dict[str, list[str]] = {}
        for values in itertools.product(*(values_of(key, space, settings) for key in keys)):
            combination = dict(zip(keys, values, strict=True))
            reason = tell(combination)
            if reason:
                text = ", ".join(f"{key} {value}" for key, value in combination.items())
                found.setdefault(reason, []).append(text)
        for reason, texts in found.items():
            more = f" and {len(texts) - 4} more" if len(texts) > 4 else ""
            yield (
                f"{where}.space: {len(texts)} combinations cannot run, {reason}: "
                f"{'; '.join(texts[:4])}{more}. Narrow the values, or use `when`."
            )


def batch_faults(space: Space, train_images: int, where: str) -> Iterator[str]:
    """Batches larger than the smallest training part."""
    for parameter in space:
        largest = max(probes(parameter)) if parameter.key == "training.batch_size" else 0
        if largest > train_images:
            yield (
                f"{where}.space.training.batch_size: a batch of {largest} is larger than the "
                f"training part of {train_images} images. Lower the largest batch."
            )


def budget_faults(search: Search, settings: Mapping[str, Any], where: str) -> Iterator[str]:
    """Phases that set what is searched, and pruners that never come to a decision."""
    searched = {parameter.key for parameter in search.space}
    for phase in search.phases:
        if phase.budget.epochs is not None and "training.epochs" in searched:
            yield f"{where}: a phase sets epochs, so training.epochs cannot be searched as well."
            return
        epochs = phase.budget.epochs or max(
            values_of("training.epochs", search.space, settings), default=None
        )
        pruner = search.pruner
        first = pruner.get("first", pruner.get("warmup", 0) + 1)
        first *= pruner.get("factor", 1) ** pruner.get("skip", 0)
        if pruner["name"] != "none" and epochs is not None and first >= epochs:
            yield (
                f"{where}.pruner: {pruner['name']} first decides after epoch {first}, but trials "
                f"end at epoch {epochs}. Lower its warmup or first, or set the pruner to none."
            )


def sampler_faults(search: Search, where: str) -> Iterator[str]:
    """Samplers that cannot serve this space or these objectives."""
    names = {phase.sampler for phase in search.phases}
    if "cmaes" in names and not numeric(search.space):
        yield f"{where}.sampler: cmaes moves numbers that are always on; there is none. Use tpe."
    if "cmaes" in names and len(search.objectives) > 1:
        yield f"{where}.sampler: cmaes knows one objective only. Use nsga2, tpe or gp."
