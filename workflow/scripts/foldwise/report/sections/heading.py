"""Title, what the page is of, and the main metrics."""

from typing import Any

from foldwise.evaluate.wording import spoken
from foldwise.report.ledger import escaped
from foldwise.report.run import Run, Study
from foldwise.report.tables import pooled


def applies(study: Study) -> bool:
    """To any study."""
    return True


def reads(study: Study) -> tuple[str, ...]:
    """Nothing but what any section may read."""
    return ()


def values(run: Run) -> dict[str, Any]:
    """Title, code, and the metrics that a reader looks for, each with its interval over folds."""
    record = run.file("record")
    return {
        "heading": escaped(title_of(run.study)),
        "made": record("made", form=".10"),
        # Code that was unpacked from a file has none.
        "commit": record("git", "commit", form=".10") if record.value("git", "commit") else None,
        "dirty": record.value("git", "dirty"),
        "headline": [_main(run, name) for name in run.headline],
        "judged_once": _of_holdout(run) if run.headline and run.holdout else None,
    }


def title_of(study: Study) -> str:
    """The page's title: the study's own, or its name in words."""
    named = study["name"].replace("_", " ").replace(".", " ")
    return study["report"]["title"] or named.capitalize()


def _main(run: Run, name: str) -> dict[str, Any]:
    """A metric with its interval: over folds, or of a single split over groups."""
    row = run.over_folds(name)
    if not run.single:
        return row
    return row | {"interval": pooled(run.summary, ("pooled", "image"), name)[1]}


def _of_holdout(run: Run) -> dict[str, Any]:
    """The first of the main metrics on the holdout."""
    name = run.headline[0]
    value, interval = pooled(run.file("holdout"), ("ensemble", "image"), name)
    return {"name": spoken(name), "value": value, "interval": interval}
