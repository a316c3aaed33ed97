"""A search checked before anything starts: what would waste trials or could never run.

Standard library only: this runs when the DAG is built.
"""

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from foldwise import registry
from foldwise.errors import FoldwiseError
from foldwise.search.settings import Search
from foldwise.search.space import Parameter, Space, numeric
from foldwise.settings.changes import study_unions
from foldwise.settings.rules import RULES, batch_too_large
from foldwise.settings.teachers import PREFIX


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


UNETS, VISION_TEXT = tuple(registry.SEGMENTERS), tuple(registry.VISION_TEXT)
OF_VISION_TEXT = ("dim", "vision.name", "vision.weights", "text.name", "text.weights")
OF_VISION_TEXT += ("text.max_tokens", "fusion.name", "fusion.heads", "fusion.layers")
OF_VISION_TEXT += ("fusion.dropout",)
OF_TEACHER = ("beta", "temperature", "feature", "contrastive", "relational_distance")
OF_TEACHER += ("relational_angle", "mmd", "tau")
OF_UNETS = ("width", "levels", "norm", "groups")

# A searched setting that nothing reads turns trials into repeats. What a loss, a schedule or an
# optimiser reads stands in the schemas; add a line where a setting depends on another otherwise.
READS = [
    *(
        Read(union.dotted(key), chooser, only=tuple(union.readers(key)))
        for chooser, union in study_unions().items()
        for key in union.keys
        if not chooser.startswith("search.")
    ),
    Read("training.backbone_lr", "model.trainable_blocks", never=(0,)),
    Read("training.head_only_epochs", "model.trainable_blocks", never=(0,)),
    Read("training.early_stopping.min_delta", "training.early_stopping.patience", never=(None,)),
    Read("training.tiles.overlap", "training.tiles.size", never=(None,)),
    Read("training.tiles.per_image", "training.tiles.size", never=(None,)),
    *(Read(f"loss.{key}", "training.teacher", never=(None,)) for key in OF_TEACHER),
    Read("loss.temperature", "loss.beta", never=(0,)),
    Read("loss.tau", "loss.contrastive", never=(0,)),
    Read("loss.boundary_px", "loss.boundary_weight", never=(0,)),
    Read("model.groups", "model.norm", only=("group",)),
    *(Read(f"model.{key}", "model.name", only=UNETS) for key in OF_UNETS),
    Read("model.threshold", "model.name", only=UNETS),
    Read("model.weights", "model.name", never=VISION_TEXT),
    *(Read(f"model.{key}", "model.name", only=VISION_TEXT) for key in OF_VISION_TEXT),
    *(Read(f"model.{key}", "kind", only=("zones",)) for key in ("zone_windows", "both_ways")),
]

# Settings that a search must not vary, and why.
NEVER = {
    "seed": "the best seed is the luckiest draw",
    "training.threads": "threads change rounding and speed, not the model",
    "training.teacher": "a teacher is made before the trials; vary it by teacher.<setting>",
    "training.answers": "a teacher answers once, before the trials; compare two named runs instead",
    "model.embeddings": "embeddings are made once for a study; compare two named runs instead",
}


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
    unread_keys = dict(unread_faults(search.space, settings, where))
    faults = list(value_faults(search, settings, refuse, where, skip=unread_keys))
    faults += unread_keys.values()
    # Only of a space that can be read: a misspelt key would else be named once a combination.
    if not faults:
        faults += combination_faults(search.space, settings, where)
        faults += budget_faults(search, settings, where)
        faults += sampler_faults(search, where)
    if faults:
        raise FoldwiseError("\n".join(faults))


def probes(parameter: Parameter) -> list:
    """Values to ask about: all choices, or both ends of a range."""
    if parameter.kind == "categorical":
        return list(parameter.choices)
    # A range that breaks a schema's limits does so at an end.
    return [parameter.low, parameter.high]


def value_faults(
    search: Search,
    settings: Mapping[str, Any],
    refuse: Callable[[dict[str, Any]], str],
    where: str,
    skip: Collection[str],
) -> Iterator[str]:
    """Unknown keys and values that the study's schema refuses, each told once."""
    for parameter in search.space:
        if reason := NEVER.get(parameter.key.removeprefix(PREFIX)):
            yield f"{where}.space.{parameter.key}: not searched, as {reason}."
            continue
        if parameter.key.startswith(PREFIX) and (parameter.values() is None or parameter.when):
            yield (
                f"{where}.space.{parameter.key}: each teacher is trained before the trials, once "
                "for each of its settings. List their values (type: categorical), without `when`."
            )
            continue
        given = {} if parameter.key in skip else read_with(parameter, search.space, settings)
        seen = set()
        for value in () if parameter.key in skip else probes(parameter):
            reason = refuse(given | {parameter.key: value})
            if reason and reason not in seen:
                seen.add(reason)
                yield f"{where}.space.{parameter.key}: {reason}"


def read_with(parameter: Parameter, space: Space, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Searched values beside which a parameter is read, such as the loss that has it as a key."""
    needed = {key: accepted[0] for key, accepted in parameter.when.items()}
    for rule in READS:
        if rule.key == parameter.key and rule.by in {item.key for item in space}:
            values = values_of(rule.by, space, settings)
            # `when` goes first: it says beside which value the parameter is meant to be read.
            needed.setdefault(rule.by, next(filter(rule.reads, values)))
    return needed


def values_of(key: str, space: Space, settings: Mapping[str, Any]) -> list:
    """Values that `key` takes in this search; the run's own where it is not searched or is off."""
    parameter = next((item for item in space if item.key == key), None)
    own = [settings[key]] if key in settings else []
    if parameter is None:
        return own
    listed = parameter.values() or probes(parameter)
    # Where `when` switches it off, the run's own value holds.
    return listed + [value for value in own if parameter.when and value not in listed]


def unread_faults(
    space: Space, settings: Mapping[str, Any], where: str
) -> Iterator[tuple[str, str]]:
    """Searched settings that some or all trials would not read: key and what to say of it."""
    for parameter, rule in itertools.product(space, READS):
        if rule.key != parameter.key or rule.by not in settings:
            continue
        values = parameter.when.get(rule.by) or values_of(rule.by, space, settings)
        good = [value for value in values if rule.reads(value)]
        bad = [value for value in values if not rule.reads(value)]
        if bad and not good:
            yield (
                parameter.key,
                f"{where}.space.{parameter.key}: nothing reads it, since {rule.by} is "
                f"{listing(bad)}. Take it out of the space, or change {rule.by}.",
            )
        elif bad:
            yield (
                parameter.key,
                f"{where}.space.{parameter.key}: nothing reads it where {rule.by} is "
                f"{listing(bad)}. Add `when: {{{rule.by}: [{listing(good)}]}}`.",
            )


def unread(settings: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, str]:
    """Settings (by dotted path) that differ from the usual ones and that nothing reads -> why."""
    return {
        rule.key: f"{rule.by} is {listing([settings[rule.by]])}"
        for rule in READS
        if rule.key in settings
        and settings[rule.key] != usual.get(rule.key)
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
    for rule in RULES:
        listed = {key: values_of(key, space, settings) for key in rule.keys}
        if not searched & set(rule.keys) or not all(listed.values()):
            continue
        by_reason: dict[str, list[str]] = {}
        for values in itertools.product(*listed.values()):
            combination = dict(zip(rule.keys, values, strict=True))
            reason = rule.broken(combination)
            if reason:
                shown = {key: value for key, value in combination.items() if key in searched}
                text = ", ".join(f"{key} {value}" for key, value in shown.items())
                by_reason.setdefault(reason, []).append(text)
        for reason, texts in by_reason.items():
            more = f" and {len(texts) - 4} more" if len(texts) > 4 else ""
            yield (
                f"{where}.space: {len(texts)} combinations cannot run, {reason}: "
                f"{'; '.join(texts[:4])}{more}. Narrow the values, or use `when`."
            )


def batch_faults(
    space: Space, settings: Mapping[str, Any], train_images: int, where: str
) -> Iterator[str]:
    """Batches larger than the smallest training part."""
    parameter = next((item for item in space if item.key == "training.batch_size"), None)
    # The largest batch against the fewest crops: what holds of these holds of every trial.
    batch = max(values_of("training.batch_size", space, settings))
    crops = [1]
    if settings["training.tiles.size"] is not None:
        crops = values_of("training.tiles.per_image", space, settings)
    if reason := batch_too_large(batch, min(crops), train_images):
        yield f"{where}{'.space' if parameter else ''}: training.batch_size: {reason}."


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
        if pruner["name"] == "none":
            continue
        first = first_decision(pruner)
        if epochs is not None and first >= epochs:
            yield (
                f"{where}.pruner: {pruner['name']} first decides after epoch {first}, but trials "
                f"end at epoch {epochs}. Lower its warmup or first, or set the pruner to none."
            )


def first_decision(pruner: Mapping[str, Any]) -> int:
    """The epoch after which a pruner may first stop a fold."""
    if pruner["name"] == "halving":
        # The first rung at which any trial is judged; epochs grow by `factor` from rung to rung.
        return pruner["first"] * pruner["factor"] ** pruner["skip"]
    return pruner["first"] if pruner["name"] == "hyperband" else pruner["warmup"] + 1


def sampler_faults(search: Search, where: str) -> Iterator[str]:
    """Samplers that cannot serve this space or these objectives."""
    names = {phase.sampler for phase in search.phases}
    if "cmaes" in names and not numeric(search.space):
        yield f"{where}.sampler: cmaes moves numbers that are always on; there is none. Use tpe."
    if "cmaes" in names and len(search.objectives) > 1:
        yield f"{where}.sampler: cmaes knows one objective only. Use nsga2, tpe or gp."
