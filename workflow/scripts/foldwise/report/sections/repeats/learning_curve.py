"""What more patients have given the reported run, and what twice as many may give."""

from typing import Any

from foldwise.evaluate.wording import called
from foldwise.report.run import Run, Study


def applies(study: Study) -> bool:
    """To studies that ask for it."""
    return bool(study["learning_curve"])


def reads(study: Study) -> tuple[str, ...]:
    """The fitted curve."""
    return ("learning_curve",)


def values(run: Run) -> dict[str, Any]:
    """A row a size, and one for twice the whole."""
    source = run.file("learning_curve")
    rows = [
        {
            "part": source("sizes", i, "part"),
            "groups": source("sizes", i, "groups", form=",.0f"),
            "images": source("sizes", i, "images", form=",.0f"),
            "value": source("sizes", i, "value", form=".3f"),
            "interval": source.interval("sizes", i, "interval"),
        }
        for i in range(len(source.value("sizes")))
    ]
    twice = {}
    if rows:
        twice = {"groups": source("twice", "groups", form=",.0f")}
        twice |= {"value": source("twice", "value", form=".3f")}
        twice |= {"interval": source.interval("twice", "interval")}
    metric = called(source.value("metric"))[0]
    return {"text": source("text"), "metric": metric, "rows": rows, "twice": twice}
