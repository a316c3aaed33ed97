"""How a search stands, read from trial files alone while it runs. Standard library only."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from foldwise.errors import FoldwiseError
from foldwise.search.trials import (
    Result,
    Suggestion,
    read_result,
    read_suggestion,
    trial_file,
    trial_name,
)

SHOWN = ("COMPLETE", "PRUNED", "FAIL", "running", "waiting")


@dataclass(frozen=True)
class Standing:
    """One trial: its state, and for a running one the fold, epoch and value it is at."""

    suggestion: Suggestion
    result: Result | None
    state: str
    fold: int | None = None
    epoch: int | None = None
    value: float | None = None
    seconds: float = 0.0


def standings(runs: str | Path) -> list[Standing]:
    """All trials of a study's `runs` folder that are proposed, in order."""
    found = []
    while (path := trial_file(runs, len(found), "suggestion.json")).is_file():
        suggestion = read_suggestion(path)
        ended = path.with_name("result.json")
        if ended.is_file():
            result = read_result(ended)
            found.append(Standing(suggestion, result, result.state, seconds=result.seconds))
        else:
            found.append(running(suggestion, path.parent))
    return found


def running(suggestion: Suggestion, folder: Path) -> Standing:
    """Where a trial without a result is, by the last line that its youngest fold wrote."""
    lines = {}
    for path in sorted(folder.glob("fold_*/results/ray_*.jsonl")):
        text = path.read_text(encoding="utf-8").rstrip()
        # The line being written may be cut: the one before it is whole.
        for line in reversed(text.splitlines()):
            try:
                lines[int(path.parts[-3].removeprefix("fold_"))] = json.loads(line)
                break
            except json.JSONDecodeError:
                continue
    if not lines:
        return Standing(suggestion, None, "waiting")
    fold, last = max(lines.items(), key=lambda item: (item[1]["timestamp"], item[0]))
    metric = suggestion.objectives[0][0]
    seconds = sum(line["time_total_s"] for line in lines.values())
    return Standing(
        suggestion,
        None,
        "running",
        fold,
        last["training_iteration"],
        last.get(metric),
        seconds,
    )


def best_so_far(trials: Sequence[Standing]) -> Standing | None:
    """The complete trial with the best first objective, of the youngest budget that has one."""
    complete = [item for item in trials if item.state == "COMPLETE"]
    if not complete:
        return None
    last = complete[-1].suggestion
    alike = [
        item
        for item in complete
        if (item.suggestion.epochs, item.suggestion.subset) == (last.epochs, last.subset)
    ]
    sign = 1 if last.objectives[0][1] == "maximize" else -1
    return max(alike, key=lambda item: sign * item.result.values[0])


def seconds_left(trials: Sequence[Standing], planned: int) -> float | None:
    """Seconds to the end, from the mean time of ended trials and how many run now."""
    ended = [item for item in trials if item.result]
    if not ended or planned <= len(ended):
        return None if not ended else 0.0
    mean = sum(item.seconds for item in ended) / len(ended)
    now = [item for item in trials if item.state == "running"]
    spent = sum(min(item.seconds, mean) for item in now)
    return max(mean * (planned - len(ended)) - spent, 0.0) / max(len(now), 1)


def duration(seconds: float) -> str:
    """Seconds for a reader."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"


def table(runs: str | Path, planned: int | None = None, last: int | None = None) -> str:
    """The status of a search as text: counts, the best so far, time left, a line a trial.

    Args:
        runs: a study's `runs` folder.
        planned: trials that the study file plans; those proposed where it is not known. Trials
            beyond it, of an earlier and longer search, are not shown.
        last: show only so many of the youngest trials.
    """
    trials = standings(runs)
    if not trials:
        raise FoldwiseError(f"{runs}: no trial yet. Start the search with `snakemake search`.")
    trials = trials[:planned]
    planned = planned or len(trials)
    counts = [f"{sum(item.state == state for item in trials)} {state}" for state in SHOWN]
    metric = trials[0].suggestion.objectives[0][0]
    lines = [f"{planned} trials planned: {', '.join(counts)}", told_best(trials, metric)]
    left = seconds_left(trials, planned)
    lines.append(f"about {duration(left)} left" if left else "")
    head = ["trial", "state", "fold", "epoch", metric, "time", "settings or reason"]
    rows = [head] + [row(item) for item in trials[-(last or len(trials)) :]]
    widths = [max(len(cells[column]) for cells in rows) for column in range(len(head) - 1)]
    for cells in rows:
        fixed = [cell.ljust(width) for cell, width in zip(cells, widths, strict=False)]
        lines.append("  ".join([*fixed, cells[-1]]))
    return "\n".join(line for line in lines if line)


def told_best(trials: Sequence[Standing], metric: str) -> str:
    """The best trial so far in a line."""
    best = best_so_far(trials)
    if best is None:
        return "no trial is complete yet"
    name = trial_name(best.suggestion.number)
    return f"best so far: {metric} {best.result.values[0]:.4g} ({name}: {settings(best)})"


def settings(item: Standing) -> str:
    """Parameters in short: the last part of each key."""
    return ", ".join(
        f"{key.rpartition('.')[2]} {value}" for key, value in item.suggestion.params.items()
    )


def row(item: Standing) -> list[str]:
    """The cells of one trial."""
    value = item.value if item.result is None else (item.result.values or (None,))[0]
    epoch = item.epoch if item.result is None else sum(len(f.curve) for f in item.result.folds)
    reason = item.result.reason if item.result else ""
    return [
        trial_name(item.suggestion.number),
        item.state,
        "" if item.fold is None else str(item.fold),
        "" if epoch is None else str(epoch),
        "" if value is None else f"{value:.4g}",
        duration(item.seconds) if item.seconds else "",
        reason or settings(item),
    ]
