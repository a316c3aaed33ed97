"""Each class against the rest at a threshold of its probability, which a slider moves."""

from typing import Any

from foldwise.report.ledger import Source, escaped
from foldwise.report.run import Run, Study

RATES = ("sensitivity", "specificity", "net_benefit")


def applies(study: Study) -> bool:
    """To any study: which tasks have classes is known to the rule."""
    return True


def reads(study: Study) -> tuple[str, ...]:
    """Counts and bounds at each threshold."""
    return ("operating_points",)


def values(run: Run) -> dict[str, Any] | None:
    """Counts and bounds at the middle threshold; `embedded`, all others."""
    source = run.file("operating_points")
    curves = source.value("curves")
    if not any(one["n"] for one in curves):
        return None
    # Where the slider stands at first: without scripts the page shows this row alone.
    middle = len(source.value("thresholds")) // 2
    return {
        "middle": source("thresholds", middle, form=".2f"),
        "rows": [_row(source, i, middle) for i in range(len(curves))],
        "embedded": {"operating_points": source.value()},
    }


def _row(source: Source, i: int, at: int) -> dict[str, Any]:
    curve = source.value("curves", i)
    name = ": ".join(filter(None, [curve["part"], curve["class"]]))
    counts = [source("curves", i, "counts", at, place) for place in range(4)]
    bounds = [
        [source("curves", i, "bounds", rate, at, end, form=".3f") for end in (0, 1)]
        if curve["bounds"].get(rate, {at: None})[at]
        else None
        for rate in RATES
    ]
    return {"name": escaped(name), "counts": counts, "bounds": bounds}
