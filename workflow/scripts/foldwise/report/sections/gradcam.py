"""Where the models look."""

from typing import Any

from foldwise.report.catalogue import figures_of_study
from foldwise.report.run import Run, Study


def applies(study: Study) -> bool:
    """To studies whose report has the figure."""
    return "gradcam" in figures_of_study(study)


def reads(study: Study) -> tuple[str, ...]:
    """Nothing but what any section may read: the maps are in the figure."""
    return ()


def values(run: Run) -> dict[str, Any] | None:
    """Nothing but the figure, where it was drawn, and what every template knows."""
    return {} if "gradcam" in run.figures else None
