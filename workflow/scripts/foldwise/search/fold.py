"""One fold of a trial: trained like any run's, pruned, and turned into an outcome.

A trial that fails by its own doing (a loss that is not finite, out of memory) has a result, FAIL
with its reason. One that is killed has none: its job is run again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from foldwise.errors import FoldwiseError
from foldwise.files import read_json, write_json, write_text
from foldwise.folds.subset import subset
from foldwise.metrics import judging
from foldwise.search.plan import most_epochs
from foldwise.search.prune import FoldPruner, stop_between_folds
from foldwise.search.settings import COSTS, Search
from foldwise.search.trials import SKIPPED, FoldOutcome, Observation
from foldwise.settings.training import read_settings
from foldwise.train.failure import TrainingFailed
from foldwise.train.job import FoldJob
from foldwise.train.loop import train_fold
from foldwise.train.plan import OnEpoch
from foldwise.train.predict import load_model
from foldwise.train.run_cost import measured_costs
from foldwise.train.sealed import save_sealed


@dataclass(frozen=True)
class TrialView:
    """What the job on a fold of a trial may see of its search.

    `earlier`: the trials before it, as far as the window allows. `done`: outcomes of this trial's
    folds before this one, where folds wait for each other.
    """

    search: Search
    number: int
    earlier: Sequence[Observation] = ()
    done: Sequence[FoldOutcome] = ()


class Pruning:
    """The loop's `on_epoch`: gives each epoch to the pruner once and remembers why it stopped.

    `watch` is given the history as well, and has no say.
    """

    def __init__(self, pruner: FoldPruner, metric: str, watch: OnEpoch | None) -> None:
        self.pruner, self.metric, self.watch = pruner, metric, watch
        self.reported, self.reason = 0, ""

    def __call__(self, history: list[dict[str, Any]]) -> bool:
        """True to stop. A resumed fold reports the epochs behind it again, to the same answers."""
        if self.watch is not None:
            self.watch(history)
        # The pruner must see each epoch once: Optuna ignores a step that is reported again.
        for entry in history[self.reported :]:
            self.reason = self.pruner.stop(entry["epoch"], entry.get(self.metric))
        self.reported = len(history)
        return bool(self.reason)


def run_fold(job: FoldJob, trial: TrialView, watch: OnEpoch | None = None) -> FoldOutcome:
    """Train the job's fold of a trial, or say why not; costs that are objectives are measured.

    A phase's subset is taken of the training part here. `watch` is called with the history after
    each epoch, such as a tracker's.
    """
    search, fold, params = trial.search, job.fold, job.params
    metric = search.objectives[0].metric
    reason = stop_between_folds(search, trial.number, trial.earlier, trial.done)
    if reason:
        write_nothing(job, reason)
        # The first fold that is stopped is pruned, those after it are only skipped: one decision.
        stopped = all(outcome.state == "COMPLETE" for outcome in trial.done)
        return FoldOutcome(fold, "PRUNED" if stopped else SKIPPED, reason)
    try:
        read_settings(params, params["run"])
    except FoldwiseError as error:
        return failed(job, metric, f"cannot run: {error}")
    # The validation part stays whole: trials of every phase are judged on the same images.
    share = search.phase(trial.number).budget.subset
    rows = job.rows | {"train": subset(job.part("train"), share, params["seed"])}
    pruner = FoldPruner(search, trial.number, fold, trial.earlier, most_epochs(params))
    pruning = Pruning(pruner, metric, watch)
    try:
        train_fold(replace(job, rows=rows), pruning)
    except TrainingFailed as error:
        place = ", ".join(f"{key} {value}" for key, value in error.place.items() if key != "batch")
        return failed(job, metric, f"{error.reason.replace('_', ' ')} ({place})")
    outcome = trained_outcome(job, metric, pruning.reason)
    return with_costs(outcome, search, job)


def failed(job: FoldJob, metric: str, reason: str) -> FoldOutcome:
    """The outcome of a fold that failed by its own doing; the epochs before it stay."""
    lines = ray_lines(job)
    write_nothing(job, reason, lines)
    return replace(outcome_of_lines(job.fold, metric, lines), state="FAIL", reason=reason)


def trained_outcome(job: FoldJob, metric: str, reason: str) -> FoldOutcome:
    """The outcome of a fold that was trained, from the files that the loop wrote.

    `reason`: why the pruner stopped it, empty if it did not.
    """
    history = read_json(job.out / "train_history.json")
    kept = history["epochs"][history["best"]["epoch"] - 1]
    measured = judging(job.params["kind"], job.params["task"])
    return replace(
        outcome_of_lines(job.fold, metric, ray_lines(job)),
        state="PRUNED" if reason else "COMPLETE",
        reason=reason,
        metrics={name: kept[name] for name in measured if name in kept},
        best=history["best"]["epoch"],
    )


def outcome_of_lines(fold: int, metric: str, lines: Sequence[Mapping[str, Any]]) -> FoldOutcome:
    """An outcome with the curve of `metric` and the times that the epochs' lines hold."""
    curve = tuple((line["training_iteration"], line.get(metric)) for line in lines)
    if not lines:
        return FoldOutcome(fold, "", curve=curve)
    began = lines[0]["timestamp"] - lines[0]["time_this_iter_s"]
    started = datetime.fromtimestamp(began, UTC).isoformat(timespec="milliseconds")
    seconds = lines[-1]["time_total_s"]
    return FoldOutcome(fold, "", curve=curve, seconds=seconds, started=started)


def ray_path(job: FoldJob) -> Path:
    """The file to which the loop adds a line an epoch."""
    return job.out / f"ray_{job.params['run']}.jsonl"


def ray_lines(job: FoldJob) -> list[dict[str, Any]]:
    """The epochs that a fold has finished."""
    path = ray_path(job)
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return [json.loads(line) for line in text.splitlines()]


def write_nothing(job: FoldJob, reason: str, lines: Sequence[dict[str, Any]] = ()) -> None:
    """The files of a fold that has no model: they are there, and say why there is none."""
    if not lines:
        # With lines, the loop's own file stays: its epochs are what is known of the failure.
        write_text(ray_path(job), "")
    # Declared outputs must be there, or Snakemake would take the trial's failure for the job's.
    save_sealed(job.out / "best_model.pt", {"state_dict": {}, "reason": reason})
    history = {"run": job.params["run"], "fold": job.fold, "best": None, "ended": reason}
    write_json(job.out / "train_history.json", history | {"epochs": list(lines)})


def with_costs(outcome: FoldOutcome, search: Search, job: FoldJob) -> FoldOutcome:
    """The outcome with the costs that are objectives, measured on the kept model."""
    wanted = [item.metric for item in search.objectives if item.metric in COSTS]
    if not wanted or outcome.state != "COMPLETE":
        return outcome
    measured = measured_costs(job, load_model(job, job.out / "best_model.pt"), wanted)
    return replace(outcome, metrics={**outcome.metrics, **measured})
