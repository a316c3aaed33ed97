"""How each fold's training went."""

from typing import Any

from foldwise.report.run import Run, Study

# What ended a training (train/loop.py), for readers.
ENDED = {name: name for name in ("no gain", "all epochs", "pruned")}
ENDED |= {"stop_after": "as fixed beforehand"}


def applies(study: Study) -> bool:
    """To any study."""
    return True


def reads(study: Study) -> tuple[str, ...]:
    """The history of each fold."""
    return ("histories",)


def values(run: Run) -> dict[str, Any]:
    """A row a fold: epochs, the kept one, its score, why training ended."""
    rows = []
    for fold in run.folds:
        source = run.file("histories", fold)
        last = len(source.value("epochs")) - 1
        rows.append(
            {
                "fold": source("fold"),
                "epochs": source("epochs", last, "epoch"),
                "kept": source("best", "epoch"),
                "score": source("best", "score", form=".3f"),
                "ended": ENDED[source.value("ended")],
            }
        )
    return {"rows": rows}
