"""The files of a finished search, made from its trial files."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from foldwise.errors import plural
from foldwise.files import write_csv, write_json
from foldwise.search.optimism import optimism, savings
from foldwise.search.ranking import best, complete, front, ranked
from foldwise.search.settings import Search
from foldwise.search.trials import Observation, kind_of_failure, trial_name

STATES = ("COMPLETE", "PRUNED", "FAIL")


def write_table(path: str | Path, search: Search, observations: Sequence[Observation]) -> None:
    """`search_results_final.csv`: all trials; those of the last budget with a value come ranked."""
    # Values of other budgets are not to be compared: such trials have no rank.
    order = ranked(observations, search)
    placed = {item.suggestion.number for _, item in order}
    rest = [(None, item) for item in observations if item.suggestion.number not in placed]
    # Stable: within a state trials stay in the order of their numbers.
    rest.sort(
        key=lambda pair: STATES.index(pair[1].result.state) if pair[1].result else len(STATES)
    )
    names = [objective.metric for objective in search.objectives]
    keys = [parameter.key for parameter in search.space]
    columns = ["rank", "trial", "state", *names, *keys, "sampler", "epochs", "subset"]
    columns += ["epochs_trained", "seconds", "reason"]
    write_csv(path, columns, [table_row(rank, item, names, keys) for rank, item in order + rest])


def table_row(
    rank: int | None, item: Observation, names: list[str], keys: list[str]
) -> dict[str, Any]:
    """A trial as a row; a parameter that was off is empty."""
    suggestion, result = item.suggestion, item.result
    row = {
        "rank": "" if rank is None else rank,
        "trial": trial_name(suggestion.number),
        "state": result.state if result else "RUNNING",
        "sampler": suggestion.sampler,
        "epochs": "" if suggestion.epochs is None else suggestion.epochs,
        "subset": suggestion.subset,
    }
    row |= {key: suggestion.params.get(key, "") for key in keys}
    if result:
        row |= dict(zip(names, result.values or [""] * len(names), strict=True))
        row |= {"epochs_trained": sum(len(fold.curve) for fold in result.folds)}
        row |= {"seconds": round(result.seconds, 3), "reason": result.reason}
    return row


def write_history(path: str | Path, search: Search, observations: Sequence[Observation]) -> None:
    """`history_trials.csv`: the first objective after each epoch of each fold of each trial."""
    metric = search.objectives[0].metric
    rows = [
        {"trial": trial_name(item.suggestion.number), "fold": fold.fold, "epoch": epoch}
        | {metric: "" if value is None else value}
        for item in observations
        if item.result
        for fold in item.result.folds
        for epoch, value in fold.curve
    ]
    write_csv(path, ["trial", "fold", "epoch", metric], rows)


def write_trial_histories(
    folder: str | Path, histories: Mapping[str, Sequence[Mapping[str, Any]]]
) -> None:
    """`history_<trial>.csv`: the loss and all metrics after each epoch of each fold of a trial.

    `histories`: trial -> the train_history.json of its folds. A fold that could not run has none.
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    for trial, folds in histories.items():
        rows = [{"fold": one["fold"], **entry} for one in folds for entry in one["epochs"]]
        columns = list(dict.fromkeys(key for row in rows for key in row)) or ["fold", "epoch"]
        filled = [{key: _cell(row.get(key)) for key in columns} for row in rows]
        write_csv(Path(folder) / f"history_{trial}.csv", columns, filled)


def _cell(value: Any) -> Any:
    """A cell of a table: what is not defined is empty."""
    return "" if value is None else value


def summary(study: str, search: Search, observations: Sequence[Observation]) -> dict[str, Any]:
    """Content of `study_summary.json`."""
    results = [item.result for item in observations if item.result]
    reasons = [kind_of_failure(result.reason) for result in results if result.state == "FAIL"]
    chosen = best(observations, search)
    pareto = front(complete(observations, search.phases[-1].budget), search)
    return {
        "study_name": study,
        # Of the last trial: that of an earlier one leaves later phases out.
        "identity": search.identity(len(observations) - 1),
        "objectives": [asdict(objective) for objective in search.objectives],
        "folds": list(search.folds),
        "window": search.window,
        "phases": [asdict(phase) for phase in search.phases],
        "pruner": dict(search.pruner),
        "across_folds": dict(search.across),
        "n_trials": len(observations),
        "states": {state: sum(r.state == state for r in results) for state in STATES},
        "failures": {reason: reasons.count(reason) for reason in sorted(set(reasons))},
        "best": described(chosen),
        "pareto_front": [described(item) for item in pareto] if len(search.objectives) > 1 else [],
        "optimism": optimism(observations, search),
        "pruning": savings(observations),
    }


def described(item: Observation) -> dict[str, Any]:
    """A complete trial for a reader: values, parameters, values by fold."""
    return {
        "trial": trial_name(item.suggestion.number),
        "number": item.suggestion.number,
        "values": list(item.result.values),
        "params": dict(item.suggestion.params),
        "folds": [{"fold": fold.fold, **fold.metrics} for fold in item.result.folds],
    }


def in_short(
    study: str, search: Search, observations: Sequence[Observation], count: int = 5
) -> str:
    """The best configuration and the top of the ranking, for the end of a search."""
    metrics = [objective.metric for objective in search.objectives]
    top = ranked(observations, search)[:count]
    lines = [f"{study}: best {len(top)} of {plural(len(observations), 'trial')}"]
    for rank, item in top:
        values = zip(metrics, item.result.values, strict=True)
        scores = ", ".join(f"{metric} {value:.4g}" for metric, value in values)
        params = ", ".join(f"{key} {value}" for key, value in item.suggestion.params.items())
        lines.append(f"{rank}. {trial_name(item.suggestion.number)}: {scores} ({params})")
    return "\n".join(lines) + "\n"


def write_results(
    folder: str | Path, study: str, search: Search, observations: Sequence[Observation]
) -> None:
    """Write the tables and the summary of a search into `folder`."""
    base = Path(folder)
    write_table(base / "search_results_final.csv", search, observations)
    write_history(base / "history_trials.csv", search, observations)
    write_json(base / "study_summary.json", summary(study, search, observations))
