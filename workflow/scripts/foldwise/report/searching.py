"""What a report says of a search: its trials, the best, what pruning saved, how far to trust it."""

from typing import Any

from foldwise.evaluate.wording import called
from foldwise.report.ledger import Source, escaped
from foldwise.report.sections import Sections
from foldwise.report.versus import mcnemar_tests, metric_rows
from foldwise.times import duration

# Trials in the table, best first.
SHOWN = 10
STATES = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}


def searched(sections: Sections, parts: list[str]) -> dict[str, Any]:
    """Part -> what the template shows of it; nothing of parts that are not asked for."""
    told = {"search": of_search, "tuned": of_tuned, "nested": of_nested}
    return {part: told[part](sections) for part in parts}


def of_search(sections: Sections) -> dict[str, Any]:
    """Counts, the best trials, what pruning saved, why trials failed, how lucky the best is."""
    summary, trials = sections.file("search"), sections.file("trials")
    objectives = [one["metric"] for one in summary.value("objectives")]
    saved = ("epochs_trained", "epochs_spared")
    return {
        "trials": summary("n_trials"),
        "states": {STATES[key]: summary("states", key) for key in summary.value("states")},
        "folds": summary("folds"),
        "window": summary("window"),
        "phases": [phase(summary, i) for i in range(len(summary.value("phases")))],
        "objectives": [called(name)[0] for name in objectives],
        "best": {
            "trial": summary("best", "trial"),
            "values": [summary("best", "values", i, form=".4g") for i in range(len(objectives))],
            "params": [
                (escaped(key), summary("best", "params", key))
                for key in summary.value("best", "params")
            ],
        },
        "rows": trial_rows(trials, objectives),
        "prunes": prunes(summary),
        "pruning": {key: summary("pruning", key, form=",.0f") for key in saved}
        | {
            key: summary("pruning", key, form=duration)
            for key in ("seconds_trained", "seconds_spared")
        }
        | {"share": summary("pruning", "share_spared", form=".0%")},
        "failures": [
            (escaped(reason), summary("failures", reason)) for reason in summary.value("failures")
        ],
        "optimism": summary("optimism", "text"),
    }


def phase(summary: Source, i: int) -> dict[str, Any]:
    """Sampler, trials and budget of a phase."""
    names = ("trials", "sampler")
    told = {name: summary("phases", i, name) for name in names}
    told["epochs"] = summary("phases", i, "budget", "epochs")
    return told | {"subset": summary("phases", i, "budget", "subset", form=".0%")}


def prunes(summary: Source) -> str:
    """Names of the rules that may stop a trial, or ''."""
    names = [summary.value(part, "name") for part in ("pruner", "across_folds")]
    return ", ".join(name.replace("_", " ") for name in names if name != "none")


def trial_rows(trials: Source, objectives: list[str]) -> list[dict[str, Any]]:
    """The best trials: rank, values, settings that differ between trials, time."""
    rows = trials.value()
    fixed = {"rank", "trial", "state", "sampler", "epochs", "subset", "epochs_trained"}
    fixed |= {"seconds", "reason", *objectives}
    keys = [key for key in (rows[0] if rows else {}) if key not in fixed]
    return [
        {
            "rank": trials(i, "rank"),
            "trial": trials(i, "trial"),
            "values": [trials(i, name, form=short) for name in objectives],
            "params": "; ".join(f"{escaped(key)} {row[key]}" for key in keys if row[key] != ""),
            "seconds": trials(i, "seconds", form=lambda text: duration(float(text))),
        }
        for i, row in enumerate(rows[:SHOWN])
        if row["rank"]
    ]


def of_tuned(sections: Sections) -> dict[str, Any]:
    """The tuned run against the baseline: a verdict a seed, the metrics of the study's own seed."""
    source = sections.file("tuned")
    seeds = list(source.value("seeds"))
    return {
        "verdicts": [(escaped(seed), source("seeds", seed, "verdict")) for seed in seeds],
        "metrics": metric_rows(source, ("seeds", seeds[0]), sections.metrics),
        "mcnemar": mcnemar_tests(source, ("seeds", seeds[0])),
        "together": source("over_seeds", "text") if source.value("over_seeds") else None,
    }


def of_nested(sections: Sections) -> dict[str, Any]:
    """What each inner search promised and its outer fold found."""
    source = sections.file("nested")
    base = ("search", "outer")
    objective = source.value("search", "objective")
    return {
        "text": source("search", "text"),
        "objective": called(objective)[0],
        "mean": source(objective, "mean", form=".3f"),
        "interval": source.interval(objective, "interval"),
        "rows": [
            {
                "outer": source(*base, i, "outer"),
                "promised": source(*base, i, "promised", form=".3f"),
                "found": source(*base, i, "found", form=".3f"),
                "epochs": source(*base, i, "epochs"),
                "params": "; ".join(f"{escaped(key)} {value}" for key, value in one.items()),
            }
            for i, one in enumerate(row["params"] for row in source.value(*base))
        ],
    }


def short(text: str) -> str:
    """A number of a CSV file with four digits."""
    return f"{float(text):.4g}"
