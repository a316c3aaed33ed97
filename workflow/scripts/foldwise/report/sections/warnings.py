"""What a reader has to know before believing the figures."""

from typing import Any

from foldwise.report.ledger import Source
from foldwise.report.run import Run, Study

TITLES = {
    "collapse": "Collapse",
    "instability": "Instability",
    "undefined": "Undefined metric",
    "never": "Class never predicted",
    "missed": "Class never recognised",
    "few": "Few cases",
    "selection": "Choice of the epoch",
    "label_in_text": "Label in the text",
    "by_heart": "Teacher that knows its training part by heart",
}


def applies(study: Study) -> bool:
    """To any study."""
    return True


def reads(study: Study) -> tuple[str, ...]:
    """Each fold's history, and what a probe of the texts found, where there are texts."""
    return ("histories", "probe") if study["data"]["columns"]["texts"] else ("histories",)


def values(run: Run) -> dict[str, Any]:
    """Warnings of the summary, the texts and the training, and whether code was not committed."""
    warnings = _of(run.summary)
    if "probe" in reads(run.study):
        warnings += _of(run.file("probe"))
    for fold in run.folds:
        warnings += _of(run.file("histories", fold))
    # Code that was not committed cannot be found again: a reader has to know.
    return {"warnings": warnings, "dirty": run.file("record").value("git", "dirty")}


def _of(source: Source) -> list[dict[str, Any]]:
    return [
        {
            "title": TITLES.get(one["kind"], one["kind"]),
            "text": source("warnings", i, "text"),
        }
        for i, one in enumerate(source.value("warnings") or [])
    ]
