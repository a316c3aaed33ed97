"""`study.db` and the like: Optuna's form of a search, made from its trial files.

No job shares a database; this one is written whole whenever it is asked for, so a lost or locked
one is made again.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import optuna
from sqlalchemy.pool import StaticPool

from foldwise.files import replacing
from foldwise.search.propose.samplers import SOME_TIME, distributions, quiet
from foldwise.search.ranking import budget_of
from foldwise.search.settings import Budget, Search
from foldwise.search.trials import Observation, Result, trial_name

STATES = {
    "COMPLETE": optuna.trial.TrialState.COMPLETE,
    "PRUNED": optuna.trial.TrialState.PRUNED,
    "FAIL": optuna.trial.TrialState.FAIL,
}


def budgets(search: Search) -> list[Budget]:
    """The budgets of a search in the order of its phases, each once."""
    return list(dict.fromkeys(phase.budget for phase in search.phases))


def study_names(name: str, search: Search) -> dict[Budget, str]:
    """Name of the Optuna study of each budget.

    The last phase's budget has the study's own name; values of other budgets, which must not be
    compared with it, stand in studies of their own.
    """
    names = {}
    for budget in budgets(search):
        epochs = f"{budget.epochs}_epochs" if budget.epochs else "all_epochs"
        names[budget] = f"{name}.{epochs}.{budget.subset:g}_of_data"
    # Under the study's own name, by which dashboards look: the trials that may be compared.
    names[search.phases[-1].budget] = name
    return names


def times(result: Result | None) -> tuple[datetime, datetime]:
    """Begin of the first and end of the last fold, UTC; a fixed time where none is recorded."""
    folds = [fold for fold in result.folds if fold.started] if result else []
    spans = [(clock(fold.started), fold.seconds) for fold in folds]
    if not spans:
        return SOME_TIME, SOME_TIME
    ends = [begin + timedelta(seconds=seconds) for begin, seconds in spans]
    return min(begin for begin, _ in spans), max(ends)


def clock(text: str) -> datetime:
    """A time as trial files hold it (ISO 8601), in UTC without zone, as Optuna keeps it."""
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def frozen(item: Observation, search: Search, intermediate: bool) -> optuna.trial.FrozenTrial:
    """One trial as Optuna knows it: state, values, intermediate values, times, reason."""
    result, params = item.result, dict(item.suggestion.params)
    begin, end = times(result)
    state = STATES[result.state] if result else optuna.trial.TrialState.RUNNING
    remarks = {"run": trial_name(item.suggestion.number), "sampler": item.suggestion.sampler}
    if result:
        remarks |= {"seconds": round(result.seconds, 3), "epochs": epochs_of(result)}
        remarks |= {"reason": result.reason} if result.reason else {}
    return optuna.trial.FrozenTrial(
        number=item.suggestion.number,
        trial_id=item.suggestion.number,
        state=state,
        # Optuna takes one of both; `values` serves a single objective as well.
        value=None,
        values=result.values if result else None,
        datetime_start=begin,
        datetime_complete=end if result else None,
        params=params,
        distributions=distributions(search.space, params),
        user_attrs=remarks,
        system_attrs={},
        intermediate_values=curve(item, search) if intermediate else {},
    )


def curve(item: Observation, search: Search) -> dict[int, float]:
    """Intermediate values by step; Optuna keeps none where there are several objectives."""
    return item.result.intermediate() if item.result and len(search.objectives) == 1 else {}


def epochs_of(result: Result) -> int:
    """Epochs trained, over all folds."""
    return sum(len(fold.curve) for fold in result.folds)


def of_budget(observations: Sequence[Observation], budget: Budget) -> list[Observation]:
    """Trials that were proposed for a budget."""
    return [item for item in observations if budget_of(item) == budget]


def add_study(
    storage: optuna.storages.BaseStorage | None,
    name: str,
    search: Search,
    observations: Sequence[Observation],
    intermediate: bool = True,
) -> optuna.Study:
    """An Optuna study of `observations`, in `storage` or, where that is None, in memory."""
    with quiet():
        study = optuna.create_study(
            storage=storage,
            study_name=name,
            directions=[objective.direction for objective in search.objectives],
            # Never asked here; the default one would be made for each study anew, from entropy.
            sampler=optuna.samplers.RandomSampler(seed=0),
        )
        study.set_metric_names([objective.metric for objective in search.objectives])
        study.add_trials([frozen(item, search, intermediate) for item in observations])
    return study


def insert_intermediate(
    connection: sqlite3.Connection, name: str, search: Search, observations: Sequence[Observation]
) -> None:
    """Insert the intermediate values of a study at once.

    Optuna writes them one by one: of 1,000 trials with two folds of 30 epochs the database took it
    120 CPU seconds, and 25 in this way.
    """
    cursor = connection.cursor()
    cursor.execute(
        "SELECT trials.trial_id FROM trials JOIN studies USING (study_id) "
        "WHERE study_name = ? ORDER BY number",
        (name,),
    )
    rows = [
        # Optuna's word for a number that is not infinite; a curve holds no other.
        (trial, step, value, "FINITE")
        for (trial,), item in zip(cursor.fetchall(), observations, strict=True)
        for step, value in curve(item, search).items()
    ]
    cursor.executemany(
        "INSERT INTO trial_intermediate_values "
        "(trial_id, step, intermediate_value, intermediate_value_type) VALUES (?, ?, ?, ?)",
        rows,
    )
    connection.commit()


def write_database(
    path: str | Path, name: str, search: Search, observations: Sequence[Observation]
) -> None:
    """Write `study.db` (SQLite, Optuna's schema) whole: one study for each budget of the search.

    `optuna.load_study(study_name=name, storage="sqlite:///...")` gives the trials of the last
    phase's budget with the states, values and intermediate values of the trial files.
    """
    # Built in memory: on a disk every trial would wait for the disk several times.
    storage = optuna.storages.RDBStorage("sqlite://", engine_kwargs={"poolclass": StaticPool})
    try:
        for budget, study in study_names(name, search).items():
            trials = of_budget(observations, budget)
            add_study(storage, study, search, trials, intermediate=False)
            insert_intermediate(storage.engine.raw_connection(), study, search, trials)
        memory = storage.engine.raw_connection()
        with replacing(path) as temporary, closing(sqlite3.connect(temporary)) as file:
            # Pages are copied as they are: no statement is run for each row again.
            memory.backup(file)
    finally:
        storage.engine.dispose()
