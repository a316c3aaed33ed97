"""How intervals and spreads were made."""

from typing import Any

from foldwise.report.run import Run, Study

METHODS = ("interval", "pooled_interval", "resamples", "std")
OF_HOLDOUT = ("interval", "resamples", "ensemble")


def applies(study: Study) -> bool:
    """To any study."""
    return True


def reads(study: Study) -> tuple[str, ...]:
    """Nothing but what any section may read."""
    return ()


def values(run: Run) -> dict[str, Any]:
    """The words of the summary, and of the holdout's where there is one."""
    of_holdout = run.file("holdout") if run.holdout else None
    return {
        "methods": {key: run.summary("methods", key) for key in METHODS},
        "of_holdout": {key: of_holdout("methods", key) for key in OF_HOLDOUT}
        if of_holdout
        else None,
    }
