"""A search: its trials, the best, what pruning saved, how far to trust it."""

from typing import Any

from foldwise.evaluate.wording import called
from foldwise.report.explorer.trials import explored
from foldwise.report.ledger import Source, escaped
from foldwise.report.run import Run, Study
from foldwise.times import duration

# Trials in the table, best first.
SHOWN = 10
STATES = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}
# Columns of the trials' table that are neither an objective nor a searched setting.
OTHER_COLUMNS = {"rank", "trial", "state", "sampler", "epochs", "subset", "epochs_trained"}
OTHER_COLUMNS |= {"seconds", "reason"}


def applies(study: Study) -> bool:
    """To studies whose report names it."""
    return "search" in study["report"]["search"]


def reads(study: Study) -> tuple[str, ...]:
    """The summary of the search, the table of its trials and their curves."""
    return ("search", "trials", "curves")


def values(run: Run) -> dict[str, Any]:
    """Counts, the best trials, what pruning saved, why trials failed, how lucky the best is."""
    summary, trials = run.file("search"), run.file("trials")
    objectives = [one["metric"] for one in summary.value("objectives")]
    return {
        "trials": summary("n_trials"),
        "states": {STATES[key]: summary("states", key) for key in summary.value("states")},
        "judging_folds": summary("folds"),
        "window": summary("window"),
        "phases": [_phase(summary, i) for i in range(len(summary.value("phases")))],
        "objectives": [called(name)[0] for name in objectives],
        "best": _best(summary, len(objectives)),
        "rows": _trials(trials, objectives),
        "prunes": _pruners(summary),
        "pruning": _saved(summary),
        "failures": [
            (escaped(reason), summary("failures", reason)) for reason in summary.value("failures")
        ],
        "optimism": summary("optimism", "text"),
        "embedded": {
            "trials": explored(
                trials.value(),
                run.file("curves").value(),
                summary.value("objectives"),
                _settings(trials.value(), objectives),
                (run.study["search"] or {}).get("space") or {},
            )
        },
    }


def _best(summary: Source, n_objectives: int) -> dict[str, Any]:
    return {
        "trial": summary("best", "trial"),
        "scores": [summary("best", "values", i, form=".4g") for i in range(n_objectives)],
        "params": [
            (escaped(key), summary("best", "params", key))
            for key in summary.value("best", "params")
        ],
    }


def _phase(summary: Source, i: int) -> dict[str, Any]:
    """Sampler, trials and budget of a phase."""
    phase = {name: summary("phases", i, name) for name in ("trials", "sampler")}
    phase["epochs"] = summary("phases", i, "budget", "epochs")
    return phase | {"subset": summary("phases", i, "budget", "subset", form=".0%")}


def _pruners(summary: Source) -> str:
    """Names of the rules that may stop a trial, or ''."""
    names = [summary.value(part, "name") for part in ("pruner", "across_folds")]
    return ", ".join(name.replace("_", " ") for name in names if name != "none")


def _saved(summary: Source) -> dict[str, Any]:
    """Epochs and time that trials took, and that pruning spared."""
    kinds = ("trained", "spared")
    epochs = {f"epochs_{k}": summary("pruning", f"epochs_{k}", form=",.0f") for k in kinds}
    times = {f"seconds_{k}": summary("pruning", f"seconds_{k}", form=duration) for k in kinds}
    return epochs | times | {"share": summary("pruning", "share_spared", form=".0%")}


def _trials(trials: Source, objectives: list[str]) -> list[dict[str, Any]]:
    """The best trials: rank, values, settings that differ between trials, time."""
    rows = trials.value()
    keys = _settings(rows, objectives)
    return [
        {
            "rank": trials(i, "rank"),
            "trial": trials(i, "trial"),
            "scores": [trials(i, name, form=_four_digits) for name in objectives],
            "params": "; ".join(f"{escaped(key)} {row[key]}" for key in keys if row[key] != ""),
            "seconds": trials(i, "seconds", form=lambda text: duration(float(text))),
        }
        for i, row in enumerate(rows[:SHOWN])
        # Trials without a rank have no value to show.
        if row["rank"]
    ]


def _settings(rows: list[dict[str, str]], objectives: list[str]) -> list[str]:
    """Columns of the table of trials that are searched settings."""
    fixed = OTHER_COLUMNS.union(objectives)
    return [key for key in (rows[0] if rows else {}) if key not in fixed]


def _four_digits(text: str) -> str:
    """A number of a CSV file."""
    return f"{float(text):.4g}"
