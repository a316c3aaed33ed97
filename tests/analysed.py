"""A search as its analysis reads it, for tests: trials of given values and parameters."""

from foldwise.search.analysis.trials import Searched, Trial, ordered
from foldwise.search.space import Parameter


def searched_by(values, **params):
    """A search of one parameter or several, each with a value a trial."""
    trials = [
        Trial(f"trial_{i:04d}", value, {k: v[i] for k, v in params.items()}, i + 1, value / 2, 20)
        for i, value in enumerate(values)
    ]
    space = tuple(
        Parameter(k, "categorical", choices=tuple(dict.fromkeys(v))) for k, v in params.items()
    )
    return Searched("made", "dice", 1, ordered(trials, 1), space, {"COMPLETE": len(trials)})
