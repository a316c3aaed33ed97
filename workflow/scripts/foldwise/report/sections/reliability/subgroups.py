"""How good the run is for each value of the named columns."""

from typing import Any

from foldwise.evaluate.wording import called, spoken, titled
from foldwise.report.ledger import Source, escaped
from foldwise.report.run import Run, Study


def applies(study: Study) -> bool:
    """To studies that name columns of subgroups."""
    return bool(study["data"]["columns"]["subgroups"])


def reads(study: Study) -> tuple[str, ...]:
    """The run judged in parts."""
    return ("subgroups",)


def values(run: Run) -> dict[str, Any]:
    """A row a value of each column, and why a column has none."""
    source = run.file("subgroups")
    columns, names = source.value("columns"), source.value("metrics")
    return {
        "names": [called(name)[0] for name in names],
        "tested": spoken(source.value("metric")),
        "least": source("least"),
        "percent": source("level", form=".0%"),
        "sets": [escaped(titled(name) or "sets") for name in _labels(columns)],
        "whole": [_cell(source, ("all", name)) for name in names],
        "columns": [
            {
                "name": escaped(one["column"]),
                "refused": escaped(one["refused"]),
                "unknown": source("columns", i, "unknown", form=",") if one["unknown"] else None,
                "unknown_few": one["unknown_few"],
                "rows": [_row(source, i, k, names) for k in range(len(one["levels"]))],
            }
            for i, one in enumerate(columns)
        ],
    }


def _labels(columns: list[dict[str, Any]]) -> list[str]:
    """Labels whose sets are counted, in the order of the file."""
    levels = [level for one in columns for level in one["levels"] if not level["few"]]
    return list(levels[0]["coverage"]) if levels else []


def _row(source: Source, i: int, k: int, names: list[str]) -> dict[str, Any]:
    base = ("columns", i, "levels", k)
    level = source.value(*base)
    cells = {"name": escaped(level["level"]), "few": level["few"]}
    if level["few"]:
        return cells
    cells |= {key: source(*base, key, form=",") for key in ("n", "groups")}
    cells["metrics"] = [_cell(source, (*base, "metrics", name)) for name in names]
    sets = level["coverage"]
    cells["coverage"] = [_cell(source, (*base, "coverage", name), ".1%") for name in sets]
    difference = level["difference"]
    at = (*base, "difference")
    cells["difference"] = _cell(source, at, "+.3f") if difference else None
    return cells | {"holm": source.maybe(*base, "holm", form=".2g")}


def _cell(source: Source, at: tuple[Any, ...], form: str = ".3f") -> tuple[Any, list]:
    return source(*at, "value", form=form), source.interval(*at, "interval", form=form)
