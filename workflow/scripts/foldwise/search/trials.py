"""Trial files: `suggestion.json` and `result.json` in the folder of each trial's run.

They are the search's only memory: proposals, pruning, database and reports are made from them.
Standard library only.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from foldwise.errors import FoldwiseError
from foldwise.files import read_json, write_json
from foldwise.hashing import digest
from foldwise.search.settings import Objective, Search
from foldwise.search.space import inside

STATES = ("COMPLETE", "PRUNED", "FAIL")
SKIPPED = "SKIPPED"


@dataclass(frozen=True)
class Suggestion:
    """A trial before it runs. `attributes` is what a sampler keeps for later trials.

    `objectives` are pairs of metric and direction, so that the files can be read without settings.
    """

    number: int
    identity: str
    sampler: str
    params: Mapping[str, Any]
    objectives: tuple[tuple[str, str], ...] = ()
    epochs: int | None = None
    subset: float = 1.0
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FoldOutcome:
    """What one fold of a trial came to.

    `metrics` are those of the kept weights, and costs that are objectives; `curve` is the first
    objective after each epoch, as pairs of epoch (from 1) and value, None where it is undefined.
    """

    fold: int
    state: str
    reason: str = ""
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    curve: tuple[tuple[int, float | None], ...] = ()
    seconds: float = 0.0
    started: str = ""
    best: int = 0


@dataclass(frozen=True)
class Result:
    """A trial after it ran: `values` one an objective where COMPLETE, else None."""

    number: int
    identity: str
    state: str
    reason: str
    values: tuple[float, ...] | None
    folds: tuple[FoldOutcome, ...]
    epochs: int

    @property
    def seconds(self) -> float:
        """Seconds of training, over all folds."""
        return sum(fold.seconds for fold in self.folds)

    def intermediate(self) -> dict[int, float]:
        """Objective by step; a fold's epochs follow those planned for the folds before it."""
        return {
            position * self.epochs + epoch: value
            for position, fold in enumerate(self.folds)
            for epoch, value in fold.curve
            if value is not None
        }


@dataclass(frozen=True)
class Observation:
    """A trial as a later one sees it: with its result, or None if it is younger than the window."""

    suggestion: Suggestion
    result: Result | None = None


def trial_name(number: int) -> str:
    """The run's name of trial `number`."""
    return f"trial_{number:04d}"


def trial_file(runs: str | Path, number: int, name: str) -> Path:
    """Path of `suggestion.json` or `result.json` of a trial under a study's `runs` folder."""
    return Path(runs) / trial_name(number) / name


def combine(
    suggestion: Suggestion,
    objectives: Sequence[Objective],
    folds: Sequence[FoldOutcome],
    epochs: int,
) -> Result:
    """The result of a trial from its folds, in the order in which they are judged.

    One failed fold fails the trial, one pruned fold prunes it; values are means over the folds. A
    metric that a fold cannot have is a failure with that reason, never a number.
    """
    made = {
        "number": suggestion.number,
        "identity": suggestion.identity,
        "folds": tuple(folds),
        "epochs": epochs,
    }
    # A failure goes first: of a trial that was pruned as well it is what has to be told.
    for state in ("FAIL", "PRUNED"):
        for fold in folds:
            if fold.state == state:
                reason = f"fold {fold.fold}: {fold.reason}"
                return Result(**made, state=state, reason=reason, values=None)
    values = []
    for objective in objectives:
        of_folds = [fold.metrics.get(objective.metric) for fold in folds]
        for fold, value in zip(folds, of_folds, strict=True):
            if value is None or not math.isfinite(value):
                reason = f"fold {fold.fold}: {objective.metric} is not defined"
                return Result(**made, state="FAIL", reason=reason, values=None)
        # fsum is exact: the mean must not hang on the order of folds.
        values.append(math.fsum(of_folds) / len(of_folds))
    return Result(**made, state="COMPLETE", reason="", values=tuple(values))


def write_trial_file(path: str | Path, record: Suggestion | FoldOutcome | Result) -> None:
    """Write a trial file with a digest of its own content, by which an edit is noticed."""
    content = asdict(record)
    write_json(path, content | {"seal": digest(content)})


def read_suggestion(path: str | Path, search: Search | None = None) -> Suggestion:
    """Read `suggestion.json`; with `search`, refuse one that another space or setting made."""
    raw = _read(path, Suggestion)
    objectives = tuple(map(tuple, raw.objectives))
    suggestion = Suggestion(**{**vars(raw), "objectives": objectives})
    if search is None:
        return suggestion
    _same_search(path, suggestion, search)
    if not inside(search.space, suggestion.params):
        raise FoldwiseError(f"{path}: its parameters are not in search.space. {AGAIN}")
    return suggestion


def read_result(path: str | Path, search: Search | None = None) -> Result:
    """Read `result.json`; with `search`, refuse one that another space or setting made."""
    raw = _read(path, Result)
    folds = tuple(outcome_of(fold) for fold in raw.folds)
    # JSON knows no tuples: without, a result that was read would not equal the one written.
    values = None if raw.values is None else tuple(raw.values)
    result = Result(**{**vars(raw), "folds": folds, "values": values})
    if result.state not in STATES:
        raise FoldwiseError(f"{path}: unknown state '{result.state}'. {AGAIN}")
    if search is not None:
        _same_search(path, result, search)
    return result


def read_outcome(path: str | Path) -> FoldOutcome:
    """Read `outcome.json` of a fold of a trial."""
    return outcome_of(vars(_read(path, FoldOutcome)))


def outcome_of(raw: Mapping[str, Any]) -> FoldOutcome:
    """An outcome as JSON holds it."""
    return FoldOutcome(**{**raw, "curve": tuple(map(tuple, raw["curve"]))})


AGAIN = "Delete the file and run the same command again."


def _read(path: str | Path, form: type) -> Any:
    content = read_json(path)
    names = {item.name for item in fields(form)}
    if not isinstance(content, dict) or set(content) != names | {"seal"}:
        raise FoldwiseError(f"{path}: not a {form.__name__.lower()} of a trial. {AGAIN}")
    seal = content.pop("seal")
    if digest(content) != seal:
        raise FoldwiseError(
            f"{path} was edited: its content and its seal differ. Later trials were proposed from "
            f"the values that stood there. {AGAIN}"
        )
    return form(**content)


def _same_search(path: str | Path, record: Suggestion | Result, search: Search) -> None:
    if record.identity != search.identity(record.number):
        raise FoldwiseError(
            f"{path} belongs to a search with another space or other settings; trials of two "
            "searches are not mixed. Delete the folders runs/trial_* and run the same command "
            "again, or put the settings back."
        )


def read_observations(runs: str | Path, number: int, search: Search) -> list[Observation]:
    """What trial `number` may know: all suggestions before it, and the results the window allows.

    Results that are there but younger than the window are not even opened.
    """
    observations = []
    for earlier in range(number):
        suggestion = read_suggestion(trial_file(runs, earlier, "suggestion.json"), search)
        result = None
        # Else a proposal would hang on which job happened to be faster.
        if earlier < search.seen(number):
            result = read_result(trial_file(runs, earlier, "result.json"), search)
        observations.append(Observation(suggestion, result))
    return observations


def read_all(runs: str | Path, search: Search) -> list[Observation]:
    """Every trial of the search that has a suggestion, with its result where there is one."""
    observations = []
    for number in range(search.trials):
        path = trial_file(runs, number, "suggestion.json")
        # Trials are proposed one after the other: after a gap there is nothing to be found.
        if not path.is_file():
            break
        ended = trial_file(runs, number, "result.json")
        result = read_result(ended, search) if ended.is_file() else None
        observations.append(Observation(read_suggestion(path, search), result))
    return observations


def read_histories(
    runs: str | Path, observations: Sequence[Observation], folds: Sequence[int]
) -> dict[str, list[dict[str, Any]]]:
    """Trial -> the train_history.json of each judging fold, of the trials that have ended."""
    names = [trial_name(item.suggestion.number) for item in observations if item.result]
    file = "fold_{}/results/train_history.json"
    return {
        name: [read_json(Path(runs, name, file.format(fold))) for fold in folds] for name in names
    }


def check_failures(
    observations: Sequence[Observation], search: Search, where: str = "search"
) -> None:
    """Stop a search in which too many trials fail, naming the commonest reason.

    Raises FoldwiseError once at least five results are known and more than the share
    `search.max_failed` of them is FAIL.
    """
    results = [item.result for item in observations if item.result is not None]
    failed = [result.reason for result in results if result.state == "FAIL"]
    # Of fewer than five a share says nothing: the first trial alone could stop a search.
    if len(results) < 5 or len(failed) <= search.max_failed * len(results):
        return
    raise FoldwiseError(
        f"{where}: {len(failed)} of {len(results)} trials failed, more than max_failed "
        f"{search.max_failed:g} allows. {commonest_failure(failed)} Change the space or the "
        "settings, or raise search.max_failed."
    )


def kind_of_failure(reason: str) -> str:
    """A reason without the fold before it and the place (epoch, step, sizes) after it."""
    return (reason.partition(": ")[2] or reason).partition(" (")[0]


def commonest_failure(reasons: Sequence[str]) -> str:
    """The commonest kind of the reasons of failed trials, as a sentence with an example."""
    kinds = [kind_of_failure(reason) for reason in reasons]
    # Sorted, so that of equally common ones the same is named each time.
    common = max(sorted(set(kinds)), key=kinds.count)
    example = reasons[kinds.index(common)]
    return (
        f"Commonest reason ({kinds.count(common)} times): {example.partition(': ')[2] or example}."
    )
