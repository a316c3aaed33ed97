"""The reported run with several seeds: spread, and which differences lie within it."""

import math
from typing import Any

from foldwise.evaluate.wording import BASELINES, called
from foldwise.report.ledger import escaped
from foldwise.report.run import Run, Study
from foldwise.settings.kinds import baselines_of

PARTS = ("seed", "patient", "fold", "rest")


def applies(study: Study) -> bool:
    """To studies that name further seeds."""
    return bool(study["seeds"])


def reads(study: Study) -> tuple[str, ...]:
    """The seeds, and the comparisons where there are any."""
    return ("seeds", *(("comparisons",) if _others(study) else ()))


def _others(study: Study) -> list[str]:
    return [*study["report"]["compare"], *_methods(study)]


def _methods(study: Study) -> list[str]:
    return [f"baseline_{name}" for name in baselines_of(study)]


def values(run: Run) -> dict[str, Any]:
    """A row a metric, and a sentence a run that was compared."""
    source = run.file("seeds")
    names = [name for name in run.headline if name in source.value("metrics")]
    rows = [
        {
            "name": called(name)[0],
            "mean": source("metrics", name, "mean", form=".3f"),
            "std": source("metrics", name, "std", form=".3f"),
            "noise": source("metrics", name, "noise", form=".3f"),
            "shares": [source.maybe("metrics", name, "shares", p, form=".0%") for p in PARTS],
        }
        for name in names
    ]
    gains = _gains(run) if _others(run.study) else []
    return {"text": source("text"), "rows": rows, "gains": gains}


def _gains(run: Run) -> list[dict[str, Any]]:
    """Each run compared: its difference, how far seeds alone go, and whether it lies within."""
    source, seeds = run.file("comparisons"), run.file("seeds")
    metric, gains = source.value("metric"), []
    for other in _others(run.study):
        place = ("against", other, "metrics", metric)
        difference = source.value(*place[:3]).get(metric, {}).get("difference")
        if difference is None or metric not in seeds.value("metrics"):
            continue
        # A classical method has no seed of its own: one training's luck instead of two.
        trained = other not in _methods(run.study)
        reach = seeds.value("metrics", metric, "noise") / (1 if trained else math.sqrt(2))
        name = other.removeprefix("baseline_")
        gains.append(
            {
                "run": BASELINES.get(name) or f"run {escaped(other)}",
                "difference": source(*place, "difference", form="+.3f"),
                "inside": abs(difference) <= reach,
                "trained": trained,
            }
        )
    return gains
