"""The table that sets a run beside other methods on the same folds."""

from typing import Any

from foldwise.evaluate.wording import BASELINES, called, spoken
from foldwise.report.sections import Sections

BETWEEN = {"folds": ("low", "high"), "groups": ("groups_low", "groups_high")}


def beside(sections: Sections, methods: list[str]) -> dict[str, Any]:
    """Names of metrics, a row a method with its means, and how far the run is from each."""
    if not methods:
        return {"rows": []}
    source = sections.file("comparisons")
    metric, names = source.value("metric"), sections.headline_names()
    rows = []
    for method in methods:
        base = ("against", f"baseline_{method}", "metrics")
        if not source.value(*base):
            continue
        first = (*base, metric)
        rows.append(
            {
                "name": BASELINES.get(method, method.replace("_", " ")),
                "metrics": [source(*base, name, "first", form=".3f") for name in names],
                "difference": source(*first, "difference", form="+.3f"),
                **{
                    unit: source.interval(*first, form="+.3f", sides=bounds)
                    for unit, bounds in BETWEEN.items()
                },
            }
        )
    return {
        "rows": rows,
        "names": [called(name)[0] for name in names],
        "run": [sections.summary(name, "mean", form=".3f") for name in names],
        "metric": spoken(metric),
    }
