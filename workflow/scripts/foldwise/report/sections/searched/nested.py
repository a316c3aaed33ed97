"""Nested cross-validation: what each inner search promised and its outer fold came to."""

from typing import Any

from foldwise.evaluate.wording import called
from foldwise.report.ledger import escaped
from foldwise.report.run import Run, Study


def applies(study: Study) -> bool:
    """To studies whose report names it."""
    return "nested" in study["report"]["search"]


def reads(study: Study) -> tuple[str, ...]:
    """The summary over outer folds."""
    return ("nested",)


def values(run: Run) -> dict[str, Any]:
    """A row an outer fold, and the mean over them."""
    source = run.file("nested")
    base = ("search", "outer")
    objective = source.value("search", "objective")
    return {
        # The heading that these sections share stands above the first of them.
        "opens": not {"search", "tuned"} & set(run.study["report"]["search"]),
        "text": source("search", "text"),
        "objective": called(objective)[0],
        "mean": source(objective, "mean", form=".3f"),
        "interval": source.interval(objective, "interval"),
        "rows": [
            {
                "outer": source(*base, i, "outer"),
                "promised": source(*base, i, "promised", form=".3f"),
                "judged": source(*base, i, "measured", form=".3f"),
                "epochs": source(*base, i, "epochs"),
                "params": "; ".join(
                    f"{escaped(key)} {value}" for key, value in row["params"].items()
                ),
            }
            for i, row in enumerate(source.value(*base))
        ],
    }
