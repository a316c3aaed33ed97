"""The tables of an article: of the cohort, of the results, of comparisons; in three formats."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldwise.article.study import Study, shown
from foldwise.evaluate.wording import called
from foldwise.files import write_text
from foldwise.report.ledger import Number
from foldwise.settings.groups import units_of

# How the counts of the folds call the part that none of them has.
HOLDOUT = "holdout"


@dataclass(frozen=True)
class Table:
    """Cells are numbers of the ledger, text, or lists of both that are joined."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def markdown(self) -> list[tuple[Any, ...]]:
        """The rows as they stand in the template: a number there is told where it comes from."""
        return list(self.rows)

    def text(self) -> list[list[str]]:
        """The rows as plain text."""
        return [[_text(cell) for cell in row] for row in self.rows]


def _text(cell: Any) -> str:
    return "".join(map(_text, cell)) if isinstance(cell, list | tuple) else shown(cell)


def span(bounds: list[Number]) -> list[Any]:
    """An interval in a cell; a dash where there is none."""
    return [bounds[0], " to ", bounds[1]] if bounds else ["–"]


def cohort(study: Study) -> Table:
    """Table 1: images and groups of each class, in all and by the fold that they judge."""
    unit = units_of(study.manifest.value("group_by"))
    folds = study.folds()
    parts = [str(fold) for fold in folds]
    header = ("", "All", *(f"Fold {fold}" for fold in folds))
    if study.balance.value("folds", HOLDOUT) is not None:
        # Without it the parts would not add up to all.
        parts, header = [*parts, HOLDOUT], (*header, "Holdout")
    rows: list[tuple[Any, ...]] = [
        ("Images", study.manifest("images", form=","), *_of_parts(study, parts, "images")),
        (
            unit.capitalize(),
            study.manifest("groups", form=","),
            *_of_parts(study, parts, "groups"),
        ),
    ]
    for name in study.classes():
        images = study.manifest("classes", name, "images", form=",")
        rows.append((name, images, *_of_parts(study, parts, "classes", name)))
    for view, count in (study.manifest.value("views") or {}).items():
        if count:
            blanks = [""] * len(parts)
            rows.append((f"View {view}", study.manifest("views", view, form=","), *blanks))
    return Table(
        f"The analysed set, in all and by the fold that it judges. No {unit[:-1]} is in two folds. "
        "Classes are counted in images.",
        header,
        tuple(rows),
    )


def _of_parts(study: Study, parts: list[str], *keys: str) -> list[Any]:
    """A count of each part; empty where the parts were not counted so."""
    return [
        study.balance("folds", part, *keys, form=",")
        if study.balance.value("folds", part, *keys) is not None
        else ""
        for part in parts
    ]


def results(study: Study) -> Table:
    """Every metric: mean and spread over folds with interval, pooled with interval over groups."""
    levels = study.levels()
    header = ("Metric", "Mean over folds", "SD", "Interval", *(f"Per {one}" for one in levels))
    rows = []
    for metric in study.metrics():
        pooled = [_pooled(study, level, metric["key"]) for level in levels]
        rows.append(
            (metric["title"], metric["mean"], metric["std"], span(metric["interval"]), *pooled)
        )
    return Table(
        "Cross-validated performance. Per image and beyond: all predictions of the folds as one "
        "set, with the bootstrap interval.",
        header,
        tuple(rows),
    )


def _pooled(study: Study, level: str, metric: str) -> Any:
    place = ("pooled", level, "metrics", metric)
    if study.summary.value(*place, "value") is None:
        return "–"
    value = study.summary(*place, "value", form=".3f")
    bounds = study.summary.interval(*place, "interval", form=".3f")
    return [value, " (", *span(bounds), ")"] if bounds else value


def classes(study: Study) -> Table:
    """Each class against the rest, of all predictions as one set."""
    header = ("Class", "Images", "Recall", "Specificity", "Precision", "F1", "AUC")
    rows = []
    for name in study.classes():
        place = ("pooled", "image", "details", "per_class", name)
        cells = [study.summary(*place, "support", form=",")]
        for key in ("recall", "specificity", "precision", "f1", "auc"):
            known = study.summary.value(*place, key) is not None
            cells.append(study.summary(*place, key, form=".3f") if known else "–")
        rows.append((name, *cells))
    return Table("Each class against the rest, per image.", header, tuple(rows))


def comparisons(study: Study) -> Table:
    """The reported run against others on the same folds, by the metric it is judged by."""
    metric = study.comparisons.value("metric")
    header = (
        "Compared with",
        "There",
        "Here",
        "Difference",
        "Over folds",
        "Over groups",
        "p, Holm",
    )
    rows = []
    for other in study.others():
        place = ("against", other, "metrics", metric)
        row = study.comparisons
        cells = [row(*place, key, form=".3f") for key in ("first", "second")]
        cells.append(row(*place, "difference", form="+.3f"))
        for low, high in (("low", "high"), ("groups_low", "groups_high")):
            cells.append(span(row.interval(*place, form="+.3f", sides=(low, high))))
        # None where a fold has no value: there is no test to correct then.
        tested = row.value(*place, "p_holm") is not None
        cells.append(row(*place, "p_holm", form=".2g") if tested else "–")
        rows.append((method(other), *cells))
    return Table(
        f"{called(metric)[0]} beside other methods and runs on the same folds, with 95 % intervals "
        "of the difference: corrected for overlapping training parts, and over resampled groups; p "
        "over folds, with Holm's correction for the number of comparisons.",
        header,
        tuple(rows),
    )


def across(study: Study) -> Table:
    """All comparisons of the article's studies, p over folds with Holm's correction over them."""
    header = ("Study", "Compared with", "Metric", "Difference", "Over folds", "p", "p, Holm")
    rows = []
    for place, one in enumerate(study.across.value("comparisons")):
        at = ("comparisons", place)
        known = one["p"] is not None
        tests = [study.across(*at, key, form=".2g") if known else "–" for key in ("p", "p_holm")]
        bounds = span(study.across.interval(*at, form="+.3f", sides=("low", "high")))
        row = (one["study"], method(one["against"]), called(one["metric"])[0])
        rows.append((*row, study.across(*at, "difference", form="+.3f"), bounds, *tests))
    return Table(
        "Every comparison of this article, with the 95 % interval of the difference and p over "
        "folds, alone and with Holm's correction for their number.",
        header,
        tuple(rows),
    )


def method(name: str) -> str:
    """A run or classical method as a reader calls it."""
    return name.removeprefix("baseline_").replace("_", " ")


TABLES: dict[str, Callable[[Study], Table]] = {
    "cohort": cohort,
    "results": results,
    "classes": classes,
    "comparisons": comparisons,
    "across": across,
}


def write_table(table: Table, folder: Path, name: str) -> None:
    """`<name>.csv`, `<name>.md` and `<name>.tex` in `folder`."""
    # Here, since a dry run reads this module's neighbours and must not wait for pandas.
    import pandas

    frame = pandas.DataFrame(table.text(), columns=list(table.header))
    # One line ending on every system: equal tables are equal bytes.
    write_text(folder / f"{name}.csv", frame.to_csv(index=False, lineterminator="\n"))
    write_text(folder / f"{name}.tex", frame.to_latex(index=False, escape=True))
    lines = [table.header, ["---"] * len(table.header), *table.text()]
    rows = [
        # A bar in the name of a class would end its cell.
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |"
        for line in lines
    ]
    write_text(folder / f"{name}.md", "\n".join(rows) + f"\n\nTable: {table.caption}\n")
