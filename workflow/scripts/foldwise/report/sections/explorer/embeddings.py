"""Embeddings of the validation images, a picture a fold."""

from typing import Any

from foldwise.report.ledger import Source, escaped
from foldwise.report.run import Run, Study


def applies(study: Study) -> bool:
    """To any study: every network has features."""
    return True


def reads(study: Study) -> tuple[str, ...]:
    """The points, and the cases that they are."""
    return ("projections", "cases")


def values(run: Run) -> dict[str, Any] | None:
    """A row a fold; `embedded`, the points of those images that the page has as cases."""
    source, cases = run.file("projections"), run.file("cases")
    folds = source.value("folds")
    if not any(one["samples"] for one in folds):
        return None
    # By number: a sample's name is a dozen bytes more for each point of the page.
    place = {case["sample"]: i for i, case in enumerate(cases.value("cases"))}
    drawn = [_drawn(one, place) for one in folds if one["samples"]]
    return {
        "parts": [escaped(part["name"]) for part in cases.value("parts")],
        "rows": [_row(source, i, len(one["neighbours"])) for i, one in enumerate(folds)],
        "embedded": {"projections": {"methods": source.value("methods"), "folds": drawn}},
    }


def _row(source: Source, i: int, parts: int) -> dict[str, Any]:
    row = {key: source("folds", i, key, form=",") for key in ("fold", "images", "features")}
    row["explained"] = source("folds", i, "shown", form=".0%")
    row["neighbours"] = [
        [source("folds", i, "neighbours", k, key, form=".0%") for key in ("same", "chance")]
        for k in range(parts)
    ]
    return row


def _drawn(fold: dict[str, Any], place: dict[str, int]) -> dict[str, Any]:
    """A fold's points, of the cases of the page alone, each by its place among these."""
    kept = [i for i, sample in enumerate(fold["samples"]) if sample in place]
    return {
        "fold": fold["fold"],
        "explained": fold["explained"],
        "cases": [place[fold["samples"][i]] for i in kept],
        "points": {name: [xy[i] for i in kept] for name, xy in fold["points"].items()},
    }
