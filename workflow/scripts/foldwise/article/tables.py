"""The tables of an article: of the cohort, of the results, of comparisons."""

from collections.abc import Callable
from typing import Any

from foldwise.article import reliability
from foldwise.article.study import Study
from foldwise.article.table import Table, cell, span
from foldwise.evaluate.wording import called, method_name
from foldwise.settings.groups import units_of

# How the counts of the folds call the part that none of them has.
HOLDOUT = "holdout"


def cohort(study: Study) -> Table:
    """Table 1: images and groups of each class, in all and by the fold that they judge."""
    unit = units_of(study.manifest.value("group_by"))
    folds = study.folds()
    parts = [str(fold) for fold in folds]
    named = ["Validation"] if study.single else [f"Fold {fold}" for fold in folds]
    header = ("", "All", *named)
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
    views = {view: n for view, n in (study.manifest.value("views") or {}).items() if n}
    # Images that are no films of a view are all of the unknown one.
    for view in views if set(views) != {"unknown"} else ():
        blanks = [""] * len(parts)
        rows.append((f"View {view}", study.manifest("views", view, form=","), *blanks))
    counted = " Classes are counted in images." if study.classes() else ""
    judged = (
        f"of the part that judges. No {unit[:-1]} is on both sides of the split."
        if study.single
        else f"by the fold that it judges. No {unit[:-1]} is in two folds."
    )
    return Table(
        f"The analysed set, in all and {judged}{counted}",
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
    # Of one split there is no mean over folds, and no spread.
    over = () if study.single else ("Mean over folds", "SD", "Interval")
    header = ("Metric", *over, *(f"Per {one}" for one in levels))
    rows = []
    for metric in study.metrics():
        key = metric["key"]
        places = [("pooled", level, "metrics", key) for level in levels]
        # Not every metric is measured at every level.
        pooled = [
            cell(study.summary, place, ".3f") if study.summary.value(*place) else "–"
            for place in places
        ]
        # Such as the precision of a class that no fold has predicted.
        mean, std = ("–" if metric[key].value is None else metric[key] for key in ("mean", "std"))
        folds = (mean, std, span(metric["interval"]))[: len(over)]
        rows.append((metric["title"], *folds, *pooled))
    caption = (
        "Performance on the validation part, with the bootstrap interval."
        if study.single
        else "Cross-validated performance. Per image and beyond: all predictions of the folds as "
        "one set, with the bootstrap interval."
    )
    return Table(
        caption,
        header,
        tuple(rows),
    )


def classes(study: Study) -> Table:
    """Each class against the rest, of all predictions as one set."""
    header = ("Class", "Images", "Recall", "Specificity", "Precision", "F1", "AUC")
    rows = []
    for name in study.classes():
        place = ("pooled", "image", "details", "per_class", name)
        cells = [study.summary(*place, "support", form=",")]
        for key in ("recall", "specificity", "precision", "f1", "auc"):
            defined = study.summary.value(*place, key) is not None
            cells.append(study.summary(*place, key, form=".3f") if defined else "–")
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
        rows.append((method_name(other), *cells))
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
        tested = one["p"] is not None
        tests = [study.across(*at, key, form=".2g") if tested else "–" for key in ("p", "p_holm")]
        bounds = span(study.across.interval(*at, form="+.3f", sides=("low", "high")))
        row = (one["study"], method_name(one["against"]), called(one["metric"])[0])
        rows.append((*row, study.across(*at, "difference", form="+.3f"), bounds, *tests))
    return Table(
        "Every comparison of this article, with the 95 % interval of the difference and p over "
        "folds, alone and with Holm's correction for their number.",
        header,
        tuple(rows),
    )


TABLES: dict[str, Callable[[Study], Table]] = {
    "cohort": cohort,
    "results": results,
    "classes": classes,
    "comparisons": comparisons,
    "across": across,
    "calibration": reliability.calibration,
    "conformal": reliability.conformal,
    "subgroups": reliability.subgroups,
}
