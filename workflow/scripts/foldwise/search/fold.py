"""One fold of a trial: trained like any run's, pruned, and turned into an outcome.

A trial that fails by its own doing (a loss that is not finite, out of memory) has a result, FAIL
with its reason. One that is killed has none: its job is run again.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from foldwise.errors import FoldwiseError
from foldwise.evaluate.cost import costs
from foldwise.files import read_json, write_json, write_text
from foldwise.hashing import digest
from foldwise.metrics import judging
from foldwise.search.plan import most_epochs
from foldwise.search.prune import FoldPruner, stop_between_folds
from foldwise.search.settings import COSTS, Search
from foldwise.search.trials import SKIPPED, FoldOutcome, Known
from foldwise.settings.training import read_settings
from foldwise.train.checkpoint import save_stable
from foldwise.train.failure import TrainingFailed
from foldwise.train.feed.feed import Feed
from foldwise.train.feed.rows import sorted_rows
from foldwise.train.loop import train_fold
from foldwise.train.predict import load_model

# Samples of the batch by which costs are measured.
COST_SAMPLES = 8

Rows = list[dict[str, Any]]
Tell = Callable[[list[dict[str, Any]]], Any]


class Pruning:
    """The loop's `report`: tells the pruner each epoch once and remembers why it stopped.

    `tell` is told the history as well, and has no say.
    """

    def __init__(self, pruner: FoldPruner, metric: str, tell: Tell | None) -> None:
        self.pruner, self.metric, self.tell = pruner, metric, tell
        self.told, self.reason = 0, ""

    def __call__(self, history: list[dict[str, Any]]) -> bool:
        """True to stop. A resumed fold tells the epochs behind it again, to the same answers."""
        if self.tell is not None:
            self.tell(history)
        for entry in history[self.told :]:
            self.reason = self.pruner.stop(entry["epoch"], entry.get(self.metric))
        self.told = len(history)
        return bool(self.reason)


def run_fold(
    search: Search,
    number: int,
    fold: int,
    known: Sequence[Known],
    done: Sequence[FoldOutcome],
    params: dict[str, Any],
    train_rows: Rows,
    out: str | Path,
    tell: Tell | None = None,
    **training: Any,
) -> FoldOutcome:
    """Train fold `fold` of trial `number` into the folder `out`, or say why not.

    Args:
        search: the search.
        number: of the trial.
        fold: of the trial.
        known: the trials before this one, as far as the window allows.
        done: outcomes of this trial's folds before this one, where folds wait for each other.
        params: content of the trial's params.json.
        train_rows: rows of the training part; a phase's subset is taken of them here.
        out: folder for best_model.pt, train_history.json and ray_<run>.jsonl.
        tell: called with the history after each epoch, such as a tracker's.
        training: the other arguments of `foldwise.train.loop.train_fold`.
    """
    out, metric = Path(out), search.objectives[0].metric
    reason = stop_between_folds(search, number, known, done)
    if reason:
        write_nothing(out, params["run"], fold, reason)
        stopped = all(outcome.state == "COMPLETE" for outcome in done)
        return FoldOutcome(fold, "PRUNED" if stopped else SKIPPED, reason)
    try:
        read_settings(params, params["run"])
    except FoldwiseError as error:
        return failed(out, params, fold, metric, f"cannot run: {error}")
    rows = subset(train_rows, search.phase(number).budget.subset, params["seed"])
    epochs = most_epochs(params)
    pruning = Pruning(FoldPruner(search, number, fold, known, epochs), metric, tell)
    try:
        train_fold(params=params, train_rows=rows, out=out, report=pruning, **training)
    except TrainingFailed as error:
        place = ", ".join(f"{key} {value}" for key, value in error.place.items() if key != "batch")
        return failed(out, params, fold, metric, f"{error.reason.replace('_', ' ')} ({place})")
    state = "PRUNED" if pruning.reason else "COMPLETE"
    return trained_outcome(out, params, fold, metric, state, pruning.reason)


def failed(
    out: Path, params: Mapping[str, Any], fold: int, metric: str, reason: str
) -> FoldOutcome:
    """The outcome of a fold that failed by its own doing; what it had told stays."""
    lines = ray_lines(out / f"ray_{params['run']}.jsonl")
    write_nothing(out, params["run"], fold, reason, lines)
    return outcome_of_lines(fold, "FAIL", reason, {}, metric, lines)


def subset(rows: Rows, share: float, seed: int) -> Rows:
    """The rows of a share of the groups, at least one of each stratum: of equal labels, and of
    equal `stratum` where the table names one.

    Groups are ordered by a digest of the seed and their least content, so that a larger share
    holds the smaller one and names of samples decide nothing.
    """
    if share >= 1:
        return rows
    groups: dict[str, list[dict]] = {}
    for row in sorted(rows, key=lambda row: row["content"]):
        groups.setdefault(row["group"], []).append(row)
    columns = [name for name in rows[0] if name.partition("_")[0] in ("label", "stratum")]
    strata: dict[tuple, list[tuple[str, str]]] = {}
    for name, members in groups.items():
        place = digest([seed, "subset", members[0]["content"]])
        # A group may have several labels, as of two breasts.
        kind = tuple(sorted({tuple(row[column] for column in columns) for row in members}))
        strata.setdefault(kind, []).append((place, name))
    kept = {
        name
        for places in strata.values()
        for _, name in sorted(places)[: max(1, math.ceil(share * len(places)))]
    }
    return [row for row in rows if row["group"] in kept]


def trained_outcome(
    out: Path, params: Mapping[str, Any], fold: int, metric: str, state: str, reason: str
) -> FoldOutcome:
    """The outcome of a fold that was trained, from the files that the loop wrote."""
    history = read_json(out / "train_history.json")
    kept = history["epochs"][history["best"]["epoch"] - 1]
    measured = judging(params["kind"], params["task"])
    metrics = {name: kept[name] for name in measured if name in kept}
    lines = ray_lines(out / f"ray_{params['run']}.jsonl")
    outcome = outcome_of_lines(fold, state, reason, metrics, metric, lines)
    return replace(outcome, best=history["best"]["epoch"])


def outcome_of_lines(
    fold: int,
    state: str,
    reason: str,
    metrics: Mapping[str, float | None],
    metric: str,
    lines: Sequence[Mapping[str, Any]],
) -> FoldOutcome:
    """An outcome with the curve of `metric` and the times that the epochs' lines tell."""
    curve = tuple((line["training_iteration"], line.get(metric)) for line in lines)
    if not lines:
        return FoldOutcome(fold, state, reason, metrics, curve)
    began = lines[0]["timestamp"] - lines[0]["time_this_iter_s"]
    started = datetime.fromtimestamp(began, UTC).isoformat(timespec="milliseconds")
    return FoldOutcome(fold, state, reason, metrics, curve, lines[-1]["time_total_s"], started)


def ray_lines(path: Path) -> list[dict[str, Any]]:
    """The epochs that a fold has told of."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return [json.loads(line) for line in text.splitlines()]


def write_nothing(
    out: Path, run: str, fold: int, reason: str, lines: Sequence[dict[str, Any]] = ()
) -> None:
    """The files of a fold that has no model: they are there, and say why there is none."""
    path = out / f"ray_{run}.jsonl"
    if not lines:
        write_text(path, "")
    save_stable(out / "best_model.pt", {"state_dict": {}, "reason": reason})
    told = {"run": run, "fold": fold, "best": None, "ended": reason, "epochs": list(lines)}
    write_json(out / "train_history.json", told)


def with_costs(
    outcome: FoldOutcome,
    search: Search,
    params: dict[str, Any],
    task: Any,
    images: Any,
    val_rows: Rows,
    out: str | Path,
    device: Any,
) -> FoldOutcome:
    """The outcome with the costs that are objectives, measured on the first validation rows."""
    wanted = [item.metric for item in search.objectives if item.metric in COSTS]
    if not wanted or outcome.state != "COMPLETE":
        return outcome
    rows = sorted_rows(val_rows)[:COST_SAMPLES]
    model, facts = load_model(params, task, Path(out) / "best_model.pt", device)
    normalise = (facts["mean"], facts["std"])
    feed = Feed(task, images, rows, task.targets(rows), normalise, torch.device(device))
    batch = feed.batch(np.arange(len(rows)), facts["size"])
    found = costs(wanted, model, task.predict, batch)
    return replace(outcome, metrics={**outcome.metrics, **found})
