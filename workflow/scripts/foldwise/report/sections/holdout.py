"""The holdout: images that no fold has seen, judged once at the end."""

from typing import Any

from foldwise.evaluate.wording import called
from foldwise.report.ledger import Source
from foldwise.report.run import Run, Study
from foldwise.report.tables import levels_of, pooled
from foldwise.settings.kinds import has_holdout

METHODS = ("interval", "resamples", "ensemble")


def applies(study: Study) -> bool:
    """To studies that set images aside."""
    return has_holdout(study)


def reads(study: Study) -> tuple[str, ...]:
    """Its summary."""
    return ("holdout",)


def values(run: Run) -> dict[str, Any] | None:
    """A row a metric; nothing of a holdout in which no image is."""
    if run.holdout is None:
        return None
    source = run.file("holdout")
    return {
        "rows": [_row(run, source, name) for name in run.metrics],
        "levels": levels_of(source, "ensemble", run.headline),
    }


def _row(run: Run, source: Source, name: str) -> dict[str, Any]:
    """A metric of all models together, of each by itself, and of cross-validation."""
    value, interval = pooled(source, ("ensemble", "image"), name)
    return {
        "name": called(name)[0],
        "together": value,
        "interval": interval,
        "mean": source.maybe(name, "mean", form=".3f"),
        "std": source.maybe(name, "std", form=".3f"),
        "validated": run.summary(name, "mean", form=".3f"),
    }
