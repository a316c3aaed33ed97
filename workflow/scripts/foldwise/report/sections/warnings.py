"""What a reader has to know before believing the figures."""

from typing import Any

from foldwise.evaluate.wording import in_words
from foldwise.report.ledger import Source
from foldwise.report.run import Run, Study

TITLES = {
    "collapse": "Collapse",
    "instability": "Instability",
    "undefined": "Undefined metric",
    "never": "Class never predicted",
    "label_in_text": "Label in the text",
}


def applies(study: Study) -> bool:
    """To any study."""
    return True


def reads(study: Study) -> tuple[str, ...]:
    """What a probe of the texts found, where there are texts."""
    return ("probe",) if study["data"]["columns"]["texts"] else ()


def values(run: Run) -> dict[str, Any]:
    """Warnings of the summary and of the texts, and whether code was not committed."""
    found = _of(run.summary)
    if reads(run.study):
        found += _of(run.file("probe"))
    return {"warnings": found, "dirty": run.file("record").value("git", "dirty")}


def _of(source: Source) -> list[dict[str, Any]]:
    return [
        {
            "title": TITLES.get(kind, kind),
            "text": source("warnings", i, "text", form=in_words),
        }
        for i, one in enumerate(source.value("warnings") or [])
        for kind in [one.get("kind", "label_in_text")]
    ]
