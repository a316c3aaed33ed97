"""Labels that are likely wrong: how many, of which classes, and the first of them by keyed name."""

from typing import Any

from foldwise.evaluate.wording import titled
from foldwise.report.ledger import Source, escaped
from foldwise.report.run import Run, Study
from foldwise.settings.kinds import has_classes


def applies(study: Study) -> bool:
    """To studies of classes."""
    return has_classes(study)


def reads(study: Study) -> tuple[str, ...]:
    """The suspects of the run."""
    return ("suspects",)


def values(run: Run) -> dict[str, Any]:
    """A table a label of given and likely classes, and the first suspects."""
    source = run.file("suspects")
    return {
        "list": f"results/{run.study['name']}/private/suspects_{run.name}.csv",
        "tables": [_table(source, i) for i in range(len(source.value("parts")))],
    }


def _table(source: Source, i: int) -> dict[str, Any]:
    base, part = ("parts", i), source.value("parts", i)
    return {
        "title": escaped(titled(part["name"])),
        "count": source(*base, "suspects", form=","),
        "n": source(*base, "n", form=","),
        "share": source(*base, "share", form=".1%"),
        "pairs": [
            _classes(one) | {"n": source(*base, "pairs", k, "n", form=",")}
            for k, one in enumerate(part["pairs"])
        ],
        "first": [
            _classes(one)
            | {"sample": one["sample"]}
            | {"own": source(*base, "first", k, "probability_of_given", form=".3f")}
            for k, one in enumerate(part["first"])
        ],
    }


def _classes(one: dict[str, Any]) -> dict[str, str]:
    return {name: escaped(one[name]) for name in ("given", "looks_like")}
