"""How a search stands, read from trial files alone while it runs. Standard library only."""

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from foldwise.errors import FoldwiseError
from foldwise.search.settings import Search
from foldwise.search.trials import (
    FoldOutcome,
    Result,
    Suggestion,
    read_result,
    read_suggestion,
    trial_file,
    trial_name,
)
from foldwise.times import duration
from foldwise.train.process.lock import is_free

SHOWN = ("COMPLETE", "PRUNED", "FAIL", "running", "waiting")
# Seconds without any epoch after which nobody was at work: a stop, a night, a reboot.
PAUSE = 600.0

Span = tuple[float, float]


@dataclass(frozen=True)
class Standing:
    """One trial: its state, and for a running one the fold, epoch and value it is at.

    `spans` are begin and end (seconds since 1970) of the training of each of its folds.
    """

    suggestion: Suggestion
    result: Result | None
    state: str
    fold: int | None = None
    epoch: int | None = None
    value: float | None = None
    seconds: float = 0.0
    spans: tuple[Span, ...] = ()


def standings(runs: str | Path, search: Search | None = None) -> list[Standing]:
    """All trials of a study's `runs` folder that are proposed, in order.

    With `search`, those of it alone: files that another space or other settings made are left out,
    as they are about to be made anew.
    """
    trials: list[Standing] = []
    while (path := trial_file(runs, len(trials), "suggestion.json")).is_file():
        suggestion = read_suggestion(path)
        if search is not None and suggestion.identity != search.identity(len(trials)):
            break
        ended = path.with_name("result.json")
        result = read_result(ended) if ended.is_file() else None
        # A result of before belongs to another proposal of this number.
        if result is not None and result.identity == suggestion.identity:
            spans = tuple(span(fold) for fold in result.folds if fold.started)
            at = {"seconds": result.seconds, "spans": spans}
            trials.append(Standing(suggestion, result, result.state, **at))
        else:
            trials.append(running(suggestion, path))
    # A search that was shortened leaves trials behind that it does not count.
    return trials if search is None else trials[: search.trials]


def span(fold: FoldOutcome) -> Span:
    """Begin and end of a fold's training."""
    begin = datetime.fromisoformat(fold.started).timestamp()
    return begin, begin + fold.seconds


def running(suggestion: Suggestion, path: Path) -> Standing:
    """Where a trial without a result is, by the last line that its youngest fold wrote.

    It waits where no process holds the lock of a fold: between two of them, and after a stop.
    """
    lines, locks = {}, [is_free(folder) for folder in path.parent.glob("fold_*/state")]
    for progress in sorted(path.parent.glob("fold_*/results/ray_*.jsonl")):
        # Lines from before the proposal are of another search.
        line = last_line(progress) if progress.stat().st_mtime >= path.stat().st_mtime else None
        if line is not None:
            lines[int(progress.parts[-3].removeprefix("fold_"))] = line
    if not lines:
        return Standing(suggestion, None, "waiting")
    # Folds may run at once: the one that told last is shown, of two the higher number.
    fold, last = max(lines.items(), key=lambda item: (item[1]["timestamp"], item[0]))
    ends = [(line["timestamp"], line["time_total_s"]) for line in lines.values()]
    return Standing(
        suggestion,
        None,
        "waiting" if locks and all(locks) else "running",
        fold,
        last["training_iteration"],
        last.get(suggestion.objectives[0][0]),
        sum(seconds for _, seconds in ends),
        tuple((end - seconds, end) for end, seconds in ends),
    )


def last_line(path: Path) -> dict | None:
    """The last whole line; the one that is being written may be cut."""
    for line in reversed(path.read_text(encoding="utf-8").splitlines()):
        try:
            return json.loads(line)
        except json.JSONDecodeError:
            continue
    return None


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


def seconds_at_work(spans: Iterable[Span]) -> float:
    """Seconds in which the search went on: from first to last epoch, but for pauses."""
    total, last = 0.0, None
    for begin, end in sorted(spans):
        if last is None or begin - last > PAUSE:
            last = begin
        # Folds that ran at once are counted once.
        total += max(end - last, 0.0)
        last = max(end, last)
    return total


def seconds_left(trials: Sequence[Standing], planned: int) -> float | None:
    """Seconds to the end at the pace so far; None before a trial has ended.

    The pace is trials ended by seconds on the clock, so that it counts what jobs need to begin and
    how many run at once. A running trial counts by what it has spent of an ended one's mean time.
    """
    ended = [item for item in trials if item.result]
    if not ended:
        return None
    mean = sum(item.seconds for item in ended) / len(ended)
    now = [item for item in trials if item.result is None]
    # At most .9: a slow trial that still runs must not count as ended.
    done = len(ended) + sum(min(item.seconds / mean, 0.9) for item in now if mean)
    at_work = seconds_at_work(span for item in trials for span in item.spans)
    return at_work / done * max(planned - done, 0.0)


def time_text(trials: Sequence[Standing], planned: int, now: float) -> str:
    """How long it will take; or, where trials run but nothing has moved, since when."""
    if planned > sum(item.result is not None for item in trials) and not any(
        item.state == "running" for item in trials
    ):
        return "no trial is being trained now; `snakemake search` goes on where it was stopped"
    left = seconds_left(trials, planned)
    text = f"about {duration(left)} left" if left else ""
    spans = [span for item in trials if item.state == "running" for span in item.spans]
    still = now - max((end for _, end in spans), default=now)
    if still > PAUSE:
        text += f"{', ' * bool(text)}no epoch has ended for {duration(still)}"
    return text


def table(
    runs: str | Path,
    search: Search | None = None,
    last: int | None = None,
    now: float | None = None,
) -> str:
    """The status of a search as text: counts, the best so far, time left, a line a trial.

    Args:
        runs: a study's `runs` folder.
        search: the search as the study file plans it; without, the trials that are there.
        last: show only so many of the youngest trials.
        now: seconds since 1970; None takes the clock.
    """
    trials = standings(runs, search)
    if not trials:
        raise FoldwiseError(f"{runs}: no trial yet. Start the search with `snakemake search`.")
    planned = search.trials if search else len(trials)
    counts = [f"{sum(item.state == state for item in trials)} {state}" for state in SHOWN]
    metric = trials[0].suggestion.objectives[0][0]
    lines = [f"{planned} trials planned: {', '.join(counts)}", best_text(trials, metric)]
    lines.append(time_text(trials, planned, time.time() if now is None else now))
    head = ["trial", "state", "fold", "epochs", metric, "time", "settings or reason"]
    rows = [head] + [row(item) for item in trials[-(last or len(trials)) :]]
    widths = [max(len(cells[column]) for cells in rows) for column in range(len(head) - 1)]
    for cells in rows:
        fixed = [cell.ljust(width) for cell, width in zip(cells, widths, strict=False)]
        lines.append("  ".join([*fixed, cells[-1]]))
    return "\n".join(line for line in lines if line)


def best_text(trials: Sequence[Standing], metric: str) -> str:
    """The best trial so far in a line."""
    best = best_so_far(trials)
    if best is None:
        return "no trial is complete yet"
    name = trial_name(best.suggestion.number)
    return f"best so far: {metric} {best.result.values[0]:.4g} ({name}: {settings(best)})"


def settings(item: Standing) -> str:
    """Parameters in short: the last part of each key, the whole where two end alike."""
    params = item.suggestion.params
    ends = [key.rpartition(".")[2] for key in params]
    names = [end if ends.count(end) == 1 else key for key, end in zip(params, ends, strict=True)]
    return ", ".join(f"{name} {value}" for name, value in zip(names, params.values(), strict=True))


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
