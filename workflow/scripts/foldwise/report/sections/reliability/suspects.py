"""Labels that are likely wrong: how many, of which classes, and the first of them by keyed name."""

from typing import Any

from foldwise.evaluate.wording import titled
from foldwise.report.ledger import Source, escaped
from foldwise.report.run import Run, Study
from foldwise.settings.kinds import has_suspects

# Of suspects.json, as `foldwise.reliability.suspects` names them; rule files read this module
# and must not wait for numpy.
AGREEMENT, CONTEXT = "agreement", "zone_context"


def applies(study: Study) -> bool:
    """To studies of classes, zones or masks."""
    return has_suspects(study)


def reads(study: Study) -> tuple[str, ...]:
    """The suspects of the run."""
    return ("suspects",)


def values(run: Run) -> dict[str, Any]:
    """A table a label of given and likely classes, and the first suspects; of zones by image."""
    source = run.file("suspects")
    return {
        "masks": source.value("method") == AGREEMENT,
        "context": source.value("method") == CONTEXT,
        "images": _images(source) if source.value("images") else None,
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
            # Of zones the table of images says it, once an image.
            for k, one in enumerate([] if source.value("images") else part["first"])
        ],
    }


def _images(source: Source) -> dict[str, Any]:
    """Images with suspect zones, those with the most first."""
    counts = {"count": source("images", "suspects", form=","), "n": source("images", "n", form=",")}
    counts["first"] = [
        {
            "sample": one["sample"],
            "zones": ", ".join(escaped(titled(zone)) for zone in one["zones"]),
        }
        | {"own": source("images", "first", k, "probability_of_given", form=".3f")}
        for k, one in enumerate(source.value("images", "first"))
    ]
    return counts


def _classes(one: dict[str, Any]) -> dict[str, str]:
    return {name: escaped(one[name]) for name in ("given", "looks_like")}
