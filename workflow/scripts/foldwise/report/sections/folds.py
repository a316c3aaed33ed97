"""How images were divided into folds."""

from typing import Any

from foldwise.report.run import Run, Study


def applies(study: Study) -> bool:
    """To any study."""
    return True


def reads(study: Study) -> tuple[str, ...]:
    """Nothing but what any section may read."""
    return ()


def values(run: Run) -> dict[str, Any]:
    """Nothing but the figure and what every template knows."""
    return {}
