"""Images, groups, classes, what the audit found, and what the texts give away."""

from typing import Any

from foldwise.report.ledger import escaped
from foldwise.report.run import Run, Study


def applies(study: Study) -> bool:
    """To any study."""
    return True


def reads(study: Study) -> tuple[str, ...]:
    """The audit's checks, and a probe of the texts where there are texts."""
    return ("checks", "probe") if study["data"]["columns"]["texts"] else ("checks",)


def values(run: Run) -> dict[str, Any]:
    """Sizes, a row a class in the study's order, a row a check, a row a column of text."""
    manifest = run.manifest
    return {
        "images": manifest("images", form=","),
        "groups": manifest("groups", form=","),
        "exams": manifest("exams", form=",") if _several_an_exam(run) else None,
        "quarantine_share": manifest("quarantine_share", form=".1%"),
        "classes": [
            {"name": escaped(name)}
            | {key: manifest("classes", name, key, form=",") for key in ("images", "groups")}
            for name in manifest.value("class_order")
        ],
        "checks": _checks(run),
        "texts": _texts(run) if "probe" in reads(run.study) else None,
    }


def _several_an_exam(run: Run) -> bool:
    """Where each image is an exam by itself, or groups are exams, they are not worth a word."""
    exams, images = run.manifest.value("exams"), run.manifest.value("images")
    return exams < images and run.manifest.value("group_by") != "accession"


def _checks(run: Run) -> list[dict[str, Any]]:
    """What the audit found: kind, description, count; largest first within a kind."""
    source = run.file("checks")
    # By their number in the file, from which the ledger says where a count stands.
    rows = [(i, row) for i, row in enumerate(source.value()) if row["kind"] != "passed"]
    return [
        {"kind": row["kind"], "description": row["description"], "count": source(i, "count")}
        for i, row in rows
    ]


def _texts(run: Run) -> dict[str, Any]:
    """A row a text column and label, the limit and the method."""
    source = run.file("probe")
    metrics = ("balanced_accuracy", "accuracy", "majority")
    rows = [
        {"column": escaped(one["column"]), "head": escaped(one["head"].replace("_", " "))}
        | {name: source("columns", i, name, form=".3f") for name in metrics}
        for i, one in enumerate(source.value("columns"))
    ]
    return {"rows": rows, "threshold": source("threshold"), "method": source("method")}
