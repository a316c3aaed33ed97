"""All that a report's template shows, put together from its sections."""

from pathlib import Path
from typing import Any

from foldwise.evaluate.wording import in_words, spoken
from foldwise.report.beside import beside
from foldwise.report.held import held
from foldwise.report.ledger import Source, escaped
from foldwise.report.searching import duration, searched
from foldwise.report.sections import Sections
from foldwise.report.versus import comparisons, costs, overview, probe
from foldwise.settings.kinds import KINDS, baselines_of

# Title, place in a run's params, and what a kind has that reads it (`foldwise.settings.kinds`);
# "" is any.
SETTINGS = [
    ("Kind", ("kind",), ""),
    ("Classes", ("task", "classes"), ""),
    ("Zones", ("task", "zones"), ""),
    ("Seed", ("seed",), ""),
    ("Image side, pixels", ("image", "size"), ""),
    ("Fit", ("image", "fit"), ""),
    ("Model", ("model", "name"), ""),
    ("Image encoder", ("model", "vision", "name"), "heads"),
    ("Text encoder", ("model", "text", "name"), "heads"),
    ("Fusion", ("model", "fusion", "name"), "heads"),
    ("Fusion's layers", ("model", "fusion", "layers"), "heads"),
    ("Fusion's width", ("model", "dim"), "heads"),
    ("Initial weights", ("model", "weights"), "one_network"),
    ("Loss", ("loss", "name"), ""),
    ("Class weights", ("loss", "class_weights"), "classes"),
    ("Weight of unknown", ("loss", "unknown_weight"), "zones"),
    ("Teacher", ("teacher", "run"), ""),
    ("Alpha, weight of the labels", ("loss", "alpha"), "taught"),
    ("Beta, weight of the teacher's answers", ("loss", "beta"), "taught"),
    ("Temperature", ("loss", "temperature"), "taught"),
    ("Weight of the teacher's features", ("loss", "feature"), "taught"),
    ("Optimiser", ("training", "optimizer"), ""),
    ("Learning rate", ("training", "lr"), ""),
    ("Epochs, at most", ("training", "epochs"), ""),
    ("Batch size", ("training", "batch_size"), ""),
]
TITLES = {
    "collapse": "Collapse",
    "instability": "Instability",
    "undefined": "Undefined metric",
    "never": "Class never predicted",
}
METHODS = ("interval", "level", "pooled_interval", "resamples", "std")


def context_of(
    study: dict[str, Any], sections: Sections, record_json: Path, holdout: bool
) -> dict[str, Any]:
    """All that the template shows, but for the figures; `holdout`: whether one was judged."""
    cohort = sections.cohort()
    texts = probe(sections, study.get("data", {}).get("columns", {}).get("texts", []))
    others = study.get("report", {}).get("compare", [])
    record = sections.ledger.source(record_json, "report_pack")
    monitor = sections.summary.value("best_fold", "metric")
    title = study.get("report", {}).get("title") or _title(study["name"])
    return {
        "title": title,
        "heading": escaped(title),
        "run": sections.run,
        "made": record("made", form=".10"),
        "commit": record("git", "commit", form=".10"),
        "dirty": record.value("git", "dirty"),
        "headline": sections.headline(),
        "warnings": _warnings(sections.summary) + texts["warnings"],
        "texts": texts,
        "overview": overview(sections, others),
        "comparisons": comparisons(sections, others),
        "costs": costs(sections, [sections.run, *others] if others else []),
        "searched": searched(sections, study.get("report", {}).get("search", [])),
        "settings": _settings(sections.params),
        "cohort": cohort,
        "checks": sections.checks(),
        "results": sections.results(),
        "meanings": sections.meanings(),
        "pooled": sections.summary("pooled", "image", "n", form=","),
        "has_trials": bool(study.get("search")),
        # With a fixed number of epochs the validation part only judges (train/loop.py).
        "chooses_epoch": sections.params.value("training", "stop_after") is None,
        "beside": beside(sections, baselines_of(study)),
        "per_fold": sections.per_fold(),
        "levels": sections.levels(),
        "holdout": held(sections, holdout),
        "percent": sections.summary("methods", "level", form=".0%"),
        "per_class": sections.per_class(),
        "parts": sections.parts(),
        "bands": sections.bands(),
        "training": sections.training(),
        "best": sections.best(),
        "best_metric": spoken(monitor),
        "methods": {key: sections.summary("methods", key) for key in METHODS},
        "record": _record(record),
        "versions": [(name, record("versions", name)) for name in record.value("versions")],
        "all_settings": _all_settings(record),
        "jobs": _jobs(record),
    }


def _title(name: str) -> str:
    return name.replace("_", " ").replace(".", " ").capitalize()


def _settings(params: Source) -> list[tuple[str, Any]]:
    """Names and values of the main settings, those that the run has and that it reads."""
    kind = KINDS[params.value("kind")]
    has = vars(kind) | {"": True, "one_network": not kind.heads, "taught": params.value("teacher")}
    return [
        (name, params(*keys))
        for name, keys, reads in SETTINGS
        if has[reads] and params.value(*keys) is not None
    ]


def _warnings(summary: Source) -> list[dict[str, Any]]:
    return [
        {
            "title": TITLES.get(one["kind"], one["kind"]),
            "text": summary("warnings", i, "text", form=in_words),
        }
        for i, one in enumerate(summary.value("warnings") or [])
    ]


def _record(source: Source) -> list[tuple[str, Any]]:
    rows = [
        ("Data hash", source("data_hash")),
        ("Commit", source("git", "commit")),
        ("Uncommitted changes", source("git", "dirty", form=_yes)),
        ("Command", source("command")),
        ("Command given", source("started")),
        ("Report made", source("made")),
        ("Python", source("python")),
        ("System", source("system")),
    ]
    rows += [
        ("Trained on", source("trained_on", i)) for i in range(len(source.value("trained_on")))
    ]
    return rows


def _all_settings(source: Source, *keys: str) -> list[tuple[str, Any]]:
    """Every setting of the run by its dotted path."""
    value = source.value("settings", *keys)
    if isinstance(value, dict) and value:
        return [row for key in value for row in _all_settings(source, *keys, key)]
    return [(escaped(".".join(keys)), source("settings", *keys))]


def _jobs(source: Source) -> list[dict[str, Any]]:
    """A row a rule: number of jobs, their time together, the largest memory."""
    return [
        {
            "rule": source("rules", i, "rule"),
            "jobs": source("rules", i, "jobs"),
            "time": source("rules", i, "seconds", form=duration),
            "memory": source("rules", i, "max_rss_mb", form=".0f"),
        }
        for i in range(len(source.value("rules")))
    ]


def _yes(value: bool) -> str:
    return "yes" if value else "no"
