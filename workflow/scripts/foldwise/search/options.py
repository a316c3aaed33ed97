"""Names and options of samplers, pruners and rules across folds, with their defaults and limits.

Standard library only.
"""

from collections.abc import Mapping
from typing import Any

from foldwise.errors import FoldwiseError, choose
from foldwise.search.read_space import number_of

# None leaves the choice to the library.
SAMPLERS: dict[str, dict[str, Any]] = {
    "tpe": {"startup": 10, "candidates": 24},
    "random": {},
    "grid": {},
    "cmaes": {"population": None, "sigma": None},
    "gp": {"startup": 10},
    "qmc": {"sequence": "sobol"},
    "nsga2": {"population": 20, "crossover": 0.9, "mutation": None},
    "best": {},
}
PRUNERS: dict[str, dict[str, Any]] = {
    "none": {},
    "median": {"startup": 5, "warmup": 2, "interval": 1, "least": 1},
    "percentile": {"percentile": 25.0, "startup": 5, "warmup": 2, "interval": 1, "least": 1},
    "halving": {"first": 1, "factor": 4, "skip": 0},
    "hyperband": {"first": 1, "factor": 3},
}
ACROSS: dict[str, dict[str, Any]] = {
    "none": {},
    "first_fold": {"percentile": 50.0, "startup": 5},
    "wilcoxon": {"p": 0.1, "startup": 2},
}
# Of every pruner.
PATIENCE = {"patience": 0, "min_delta": 0.0}
SEQUENCES = ("sobol", "halton")
# Least and largest value of an option; whole numbers but for those in FRACTIONS.
LIMITS: dict[str, tuple[float, float]] = {
    "startup": (0, 1e9),
    "candidates": (1, 1e6),
    "population": (2, 1e6),
    "sigma": (1e-6, 1),
    "crossover": (0, 1),
    "mutation": (0, 1),
    "warmup": (0, 1e9),
    "interval": (1, 1e9),
    "least": (1, 1e9),
    "percentile": (0, 100),
    "first": (1, 1e9),
    "factor": (2, 1e9),
    "skip": (0, 100),
    "p": (0, 1),
    "patience": (0, 1e9),
    "min_delta": (0, 1e9),
}
FRACTIONS = ("sigma", "crossover", "mutation", "percentile", "p", "min_delta")


def options(raw: Any, table: Mapping[str, dict], what: str, place: str) -> dict[str, Any]:
    """`name` or `{name: ..., option: ...}` with the table's defaults filled in."""
    given = {"name": raw} if isinstance(raw, str) else dict(raw)
    name = choose(str(given.pop("name", "")), table, what, place)
    known = table[name] | (PATIENCE if what == "pruner" else {})
    given = {key: number_of(value) for key, value in given.items()}
    for key, value in given.items():
        choose(str(key), known or {"no option": None}, f"option of {what} '{name}'", place)
        if value is not None or known[key] is not None:
            check_value(key, value, place)
    return {"name": name, **known, **given}


def check_value(key: str, value: Any, place: str) -> None:
    """Refuse a value that the library behind the option would refuse only in a job."""
    if key == "sequence":
        choose(str(value), SEQUENCES, "sequence", place)
        return
    low, high = LIMITS[key]
    whole = key not in FRACTIONS
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not low <= value <= high or (whole and value != int(value)):
        upper = f" to {high:g}" if high < 1e6 else " or more"
        raise FoldwiseError(
            f"{place}: {key} is {value!r}; write a {'whole ' * whole}number, {low:g}{upper}."
        )
