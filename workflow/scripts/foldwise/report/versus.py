"""What a report says of other runs on the same folds, and of texts that give a label away."""

from typing import Any

from foldwise.evaluate.wording import called, in_words
from foldwise.report.ledger import Number, Source, escaped
from foldwise.report.sections import Sections


def overview(sections: Sections, others: list[str]) -> dict[str, Any]:
    """Names of the main metrics, and a row a run with their means over folds."""
    names = sections.headline_names() if others else []
    first = [sections.summary(name, "mean", form=".3f") for name in names]
    rows = [{"run": f"**{escaped(sections.run)}**", "metrics": first}]
    for other in others:
        base = ("against", other, "metrics")
        source = sections.file("comparisons")
        told = [source(*base, name, "first", form=".3f") for name in names]
        rows.append({"run": escaped(other), "metrics": told})
    return {"names": [called(name)[0] for name in names], "rows": rows}


def comparisons(sections: Sections, others: list[str]) -> list[dict[str, Any]]:
    """An entry a run that the reported one is compared with: verdict, metrics, McNemar's tests."""
    if not others:
        return []
    source = sections.file("comparisons")
    return [_against(sections, source, other) for other in others]


def _against(sections: Sections, source: Source, other: str) -> dict[str, Any]:
    base = ("against", other)
    return {
        "run": escaped(other),
        "verdict": source(*base, "verdict", form=in_words),
        "metrics": metric_rows(source, base, sections.metrics),
        "mcnemar": mcnemar_tests(source, base),
    }


def metric_rows(source: Source, base: tuple[str, ...], metrics: list[str]) -> list[dict[str, Any]]:
    """A row a metric of the comparison at `base`, of those that it has."""
    there = source.value(*base, "metrics")
    return [_row(source, (*base, "metrics", name), name) for name in metrics if name in there]


def _row(source: Source, keys: tuple[str, ...], name: str) -> dict[str, Any]:
    told = {key: source(*keys, key, form=".3f") for key in ("first", "second")}
    told["difference"] = source(*keys, "difference", form="+.3f")
    told["p"] = source(*keys, "p", form=".2g")
    for span in ("", "groups_"):
        sides = f"{span}low", f"{span}high"
        told[f"{span}interval"] = source.interval(*keys, form="+.3f", sides=sides)
    return told | {"name": called(name)[0]}


def mcnemar_tests(source: Source, base: tuple[str, ...]) -> list[dict[str, Any]]:
    """McNemar's tests of the comparison at `base`: one, or one a label."""
    places = {"": ("mcnemar",)}
    places |= {head: ("mcnemar_of", head) for head in source.value(*base, "mcnemar_of") or {}}
    return [
        {"label": escaped(head.replace("_", " "))}
        | {key: source(*base, *keys, key) for key in ("groups", "only_first", "only_second")}
        | {"p": source(*base, *keys, "p", form=".2g")}
        for head, keys in places.items()
        if source.value(*base, *keys)
    ]


def costs(sections: Sections, runs: list[str]) -> list[dict[str, Any]]:
    """A row a run: parameters, megabytes of weights, milliseconds a sample."""
    rows = []
    for run in runs:
        source = sections.of_kind("cost", run)
        rows.append({"run": escaped(run), **_cost(source)})
    return rows


def _cost(source: Source) -> dict[str, Number]:
    return {
        "parameters": source("parameters", form=","),
        "megabytes": source("megabytes", form=".3g"),
        "milliseconds": source("milliseconds", form=".3g"),
        "samples": source("samples"),
        "device": source("device"),
    }


def probe(sections: Sections, texts: list[str]) -> dict[str, Any]:
    """Rows a text column and label, the limit, and warnings in the form of the report's others."""
    if not texts:
        return {"rows": [], "warnings": []}
    source = sections.file("probe")
    rows = [
        {
            "column": escaped(one["column"]),
            "head": escaped(one["head"].replace("_", " ")),
            "balanced_accuracy": source("columns", i, "balanced_accuracy", form=".3f"),
            "accuracy": source("columns", i, "accuracy", form=".3f"),
            "majority": source("columns", i, "majority", form=".3f"),
        }
        for i, one in enumerate(source.value("columns"))
    ]
    warnings = [
        {"title": "Label in the text", "text": source("warnings", i, "text")}
        for i in range(len(source.value("warnings")))
    ]
    told = {"threshold": source("threshold"), "method": source("method")}
    return {"rows": rows, "warnings": warnings, **told}
