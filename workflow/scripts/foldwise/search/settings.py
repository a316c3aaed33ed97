"""Settings of a search and its plan: which trial is proposed by what, from which values.

Standard library only: the plan is drawn up when the DAG is built.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from foldwise.errors import FoldwiseError, choose
from foldwise.hashing import digest
from foldwise.search.read_space import parse_space
from foldwise.search.space import Space, size

# Interactive pages, by name, and their titles in Snakemake's own report.
SEARCH_PAGES = {
    "history": "Trials in their order",
    "importance": "Importance of each parameter",
    "parallel_coordinate": "Parallel coordinates",
    "slices": "Value against each parameter",
    "intermediate": "Values after each epoch",
    "pareto_front": "Pareto front",
}
# What such pages are called elsewhere -> the page here.
OTHER_NAMES = {"optimization_history": "history", "param_importances": "importance"}
COSTS = ("parameters", "multiply_adds", "milliseconds")
DIRECTIONS = {"max": "maximize", "min": "minimize"}


@dataclass(frozen=True)
class Objective:
    """A metric of the study or a cost, and whether more of it is better."""

    metric: str
    direction: str

    @property
    def sign(self) -> int:
        """1 where more is better, else -1."""
        return 1 if self.direction == "maximize" else -1


@dataclass(frozen=True)
class Budget:
    """What a trial may spend; values of different budgets are never compared.

    `epochs` None is the run's own; `subset` is the share of the training part's groups.
    """

    epochs: int | None
    subset: float


@dataclass(frozen=True)
class Phase:
    """A stretch of trials with one sampler and one budget; `first` is its first trial's number."""

    first: int
    trials: int
    sampler: str
    options: Mapping[str, Any]
    budget: Budget


@dataclass(frozen=True)
class Search:
    """A search as a study file states it, complete.

    `context` is a digest of the settings that all trials share: with others it is another search.
    """

    space: Space
    phases: tuple[Phase, ...]
    window: int
    objectives: tuple[Objective, ...]
    pruner: Mapping[str, Any]
    across: Mapping[str, Any]
    folds: tuple[int, ...]
    max_failed: float | None  # None for a trial, which it does not concern
    seed: int
    context: str

    @property
    def trials(self) -> int:
        """Number of trials in all phases."""
        return sum(phase.trials for phase in self.phases)

    def phase(self, number: int) -> Phase:
        """The phase of trial `number`."""
        # From the end: a phase that a finite space left without trials begins where the next does.
        return next(item for item in reversed(self.phases) if item.first <= number)

    def seen(self, number: int) -> int:
        """How many trials' values trial `number` may know: those of 0 .. number - window."""
        return max(number - self.window + 1, 0)

    @property
    def prunes(self) -> bool:
        """True if a trial may be stopped before its end."""
        pruner = self.pruner["name"] != "none" or self.patient
        return pruner or self.across["name"] != "none"

    @property
    def patient(self) -> bool:
        """True if the pruner waits for trials that still get better; not all pruners can."""
        return bool(self.pruner.get("patience"))

    def identity(self, number: int) -> str:
        """Digest of all settings that decide trial `number`; equal after trials are added.

        The number of trials of the phase that `number` is in is left out, so that a longer search
        goes on from the same trials.
        """
        # Later phases decide nothing of this trial: adding one makes none again.
        phases = [asdict(phase) for phase in self.phases if phase.first <= number]
        phases[-1].pop("trials")
        settings = [
            [asdict(item) for item in self.space],
            phases,
            self.window,
            [asdict(item) for item in self.objectives],
            dict(self.pruner),
            dict(self.across),
            list(self.folds),
            self.seed,
            self.context,
        ]
        return digest(settings)


def parse_search(
    raw: dict[str, Any],
    seed: int,
    folds: list[int],
    monitors: Mapping[str, str],
    where: str = "search",
    context: str = "",
) -> Search:
    """Read the `search` branch of a study.

    Args:
        raw: the branch as its schema completes it.
        seed: the study's seed.
        folds: numbers of the study's folds.
        monitors: metrics that the study measures, with "max" or "min"; the first is the default.
        where: named in errors.
        context: digest of the settings that all trials share.
    """
    space = parse_space(raw["space"], f"{where}.space")
    objectives = parse_objectives(raw["objective"], monitors, where)
    search = Search(
        space=space,
        phases=parse_phases(raw, space, where),
        window=raw["window"],
        objectives=objectives,
        pruner=raw["pruner"],
        across=raw["across_folds"],
        folds=parse_folds(raw["folds"], folds, where),
        max_failed=raw.get("max_failed"),
        seed=seed,
        context=context,
    )
    check_pruning(search, where)
    return search


def parse_objectives(raw: Any, monitors: Mapping[str, str], where: str) -> tuple[Objective, ...]:
    """One objective or several, each a name or `{metric, direction}`."""
    entries = raw if isinstance(raw, list) else [raw if raw is not None else next(iter(monitors))]
    objectives = []
    for entry in entries:
        named = {"metric": entry} if isinstance(entry, str) else entry
        if not isinstance(named, dict) or not {"metric"} <= set(named) <= {"metric", "direction"}:
            raise FoldwiseError(
                f"{where}.objective: {entry!r}. Write a metric's name, or "
                "{metric: <name>, direction: maximize | minimize}."
            )
        directions = {**monitors, **dict.fromkeys(COSTS, "min")}
        metric = choose(named["metric"], directions, "objective", f"{where}.objective")
        direction = named["direction"] if "direction" in named else DIRECTIONS[directions[metric]]
        objectives.append(
            Objective(metric, choose(direction, DIRECTIONS.values(), "direction", where))
        )
    metrics = [item.metric for item in objectives]
    if len(set(metrics)) < len(metrics):
        raise FoldwiseError(f"{where}.objective: {', '.join(metrics)}: name each metric once.")
    if metrics[0] in COSTS:
        raise FoldwiseError(
            f"{where}.objective: {metrics[0]} is a cost. Name a metric of the study first: of a "
            "Pareto front, the best by the first objective is trained and compared."
        )
    return tuple(objectives)


def parse_phases(raw: dict[str, Any], space: Space, where: str) -> tuple[Phase, ...]:
    """The phases, or the one phase that `trials` and `sampler` make.

    In a finite space a budget's trials end with its combinations: none is trained twice.
    """
    entries = raw["phases"] or [{"trials": raw["trials"], "epochs": None, "subset": 1.0}]
    combinations, left, phases, first = size(space), {}, [], 0
    for index, entry in enumerate(entries):
        place = f"{where}.phases[{index}]" if raw["phases"] else where
        chosen = dict(entry["sampler"] if "sampler" in entry else raw["sampler"])
        name = chosen.pop("name")
        if name == "grid" and combinations is None:
            loose = [item.key for item in space if item.values() is None]
            raise FoldwiseError(
                f"{place}: a grid needs listed values, but {', '.join(loose)} "
                f"{'is' if len(loose) == 1 else 'are'} continuous. Give a step, or choices."
            )
        if name == "best" and not phases:
            raise FoldwiseError(f"{place}: 'best' repeats trials of earlier phases; there is none.")
        budget = Budget(entry["epochs"], entry["subset"])
        trials = entry["trials"]
        if combinations is not None:
            # By budget: a combination may well be trained again with more epochs.
            trials = min(trials, left.setdefault(budget, combinations))
            left[budget] -= trials
        phases.append(Phase(first, trials, name, chosen, budget))
        first += trials
    return tuple(phases)


def parse_folds(raw: Any, folds: list[int], where: str) -> tuple[int, ...]:
    """Folds that judge a trial: a list of numbers, or how many of the first; all by default."""
    chosen = folds if raw is None else folds[:raw] if isinstance(raw, int) else raw
    unknown = [fold for fold in chosen if fold not in folds]
    twice = len(set(chosen)) < len(chosen)
    if unknown or twice or not chosen or (isinstance(raw, int) and raw > len(folds)):
        raise FoldwiseError(
            f"{where}.folds: {raw!r}, but the study has folds {folds[0]} to {folds[-1]}. "
            "Name some of them once each, or say how many of the first."
        )
    return tuple(chosen)


def check_pruning(search: Search, where: str) -> None:
    """Refuse pruning that cannot work: several objectives, or a test that can never decide."""
    if len(search.objectives) > 1 and search.prunes:
        raise FoldwiseError(
            f"{where}: pruning compares one value, but there are {len(search.objectives)} "
            "objectives. Set pruner and across_folds to none, or name one objective."
        )
    across, count = search.across, len(search.folds)
    if across["name"] != "none" and count < 2:
        raise FoldwiseError(
            f"{where}.across_folds: '{across['name']}' needs two folds or more; folds is {count}."
        )
    # The one-sided signed-rank test of k pairs has no p-value below 2^-k.
    if across["name"] == "wilcoxon" and 0.5 ** (count - 1) >= across["p"]:
        raise FoldwiseError(
            f"{where}.across_folds: after {count - 1} of {count} folds no signed-rank p-value is "
            f"below {0.5 ** (count - 1):g}, so p: {across['p']:g} never stops a trial. "
            "Use more folds, a larger p, or first_fold."
        )
