"""The report's section on the holdout: images that no fold has seen, judged once at the end."""

from typing import Any

from foldwise.evaluate.wording import called, spoken
from foldwise.report.ledger import Source
from foldwise.report.levels import levels_of
from foldwise.report.sections import Sections


def held(sections: Sections, asked: bool) -> dict[str, Any]:
    """What the section shows; `n` is None where the study has no holdout, or an empty one."""
    source = sections.file("holdout") if asked else None
    if source is None or not source.value("n"):
        return {"n": None}
    return {
        "n": source("n", form=","),
        "groups": source("groups", form=","),
        "rows": [_row(sections, source, name) for name in sections.metrics],
        "headline": _first(source, sections.headline_names()[0]),
        "levels": levels_of(source, "ensemble", sections.headline_names()),
        "methods": {key: source("methods", key) for key in ("interval", "resamples", "ensemble")},
    }


def _row(sections: Sections, source: Source, name: str) -> dict[str, Any]:
    """A metric of all models together and of each alone, beside that of cross-validation."""
    metric = ("ensemble", "image", "metrics", name)
    return {
        "name": called(name)[0],
        "together": source(*metric, "value", form=".3f"),
        "interval": source.interval(*metric, "interval"),
        "mean": source(name, "mean", form=".3f"),
        "std": source(name, "std", form=".3f"),
        "validated": sections.summary(name, "mean", form=".3f"),
    }


def _first(source: Source, name: str) -> dict[str, Any]:
    metric = ("ensemble", "image", "metrics", name)
    return {
        "name": spoken(name),
        "value": source(*metric, "value", form=".3f"),
        "interval": source.interval(*metric, "interval"),
    }
