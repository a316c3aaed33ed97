"""What a reader has to know before believing a summary: collapse, instability, too few cases."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from foldwise.evaluate.fold import labels_of
from foldwise.evaluate.metrics.zone_counts import UNKNOWN
from foldwise.evaluate.wording import ON_AXIS, called, spoken

Caution = dict[str, str]

UNSTABLE_STD = 0.05
# It falls first where a class is lost in a fold, whichever metric the study is about.
ALWAYS = "macro_f1"
READ_NEXT = (
    "Read next: the table fold by fold, whether its worst fold lacks a class or has other images "
    "(composition of the folds), and its training curves; then more {units}, fewer folds, a "
    "smaller learning rate or several seeds."
)
# Below these, simulated intervals miss the truth more often than they say.
FEW_WRONG, FEW_OF_CLASS = 5, 10


def cautions(
    folds: Sequence[Any],
    over_folds: Mapping[str, Any],
    pooled: Mapping[str, Any],
    monitor: str,
    units: str,
) -> list[Caution]:
    """Warnings as {"kind", "text"}.

    Args:
        folds: `foldwise.evaluate.summary.FoldResult` of each.
        over_folds: metric -> mean, std, n_folds.
        pooled: what `levels_with_intervals` gives of all folds.
        monitor: the metric that the study is about.
        units: what groups are called.
    """
    details = pooled["image"]["details"]
    rows = [row for fold in folds for row in fold.predictions]
    return [
        *_collapsed(folds),
        *_unstable(over_folds, monitor, units),
        *undefined(over_folds, len(folds)),
        *_never(details),
        *_few(rows, details, units),
    ]


def _collapsed(folds: Sequence[Any]) -> Iterator[Caution]:
    for fold in folds:
        if fold.metrics["levels"]["image"]["details"].get("collapsed"):
            yield {"kind": "collapse", "text": f"Fold {fold.fold} predicts a single class."}


def _unstable(over_folds: Mapping[str, Any], monitor: str, units: str) -> Iterator[Caution]:
    """The study's own metric, and macro F1 where there is one; those between 0 and 1 alone."""
    # A spread in pixels or in other units has no limit in common with shares.
    names = dict.fromkeys(name for name in (ALWAYS, monitor) if name in ON_AXIS)
    spread = {name: over_folds[name]["std"] for name in names if name in over_folds}
    above = {name: std for name, std in spread.items() if std is not None and std > UNSTABLE_STD}
    wide = [f"{spoken(name)} {std:.3f}" for name, std in above.items()]
    if wide:
        wide[0] = wide[0][:1].upper() + wide[0][1:]
        text = f"{' and '.join(wide)}: standard deviation over folds above {UNSTABLE_STD}."
        yield {"kind": "instability", "text": f"{text} {READ_NEXT.format(units=units)}"}


def undefined(over_folds: Mapping[str, Any], n: int) -> Iterator[Caution]:
    """Metrics that fewer than all `n` folds have."""
    for name, values in over_folds.items():
        if values["n_folds"] < n:
            where = "not defined" if n == 1 else f"defined in {values['n_folds']} of {n} folds"
            text = f"{called(name)[0]}: {where}."
            yield {"kind": "undefined", "text": text}


def _never(details: Mapping[str, Any]) -> Iterator[Caution]:
    """Classes that no image, or none of their own, is called; of each label where several."""
    for label, own in {"": details, **labels_of(details)}.items():
        # Only kinds of study that answer with classes have a table of them.
        each = own["per_class"].items() if "per_class" in own else ()
        # A recall of 0: a class that is not there has none, which is no number.
        missed = {name: row["predicted"] for name, row in each if row["recall"] == 0}
        of_label = f" ({label.replace('_', ' ')})" if label else ""
        lost = [name for name, predicted in missed.items() if not predicted]
        if lost:
            text = f"No image of any fold is called {', '.join(lost)}{of_label}."
            yield {"kind": "never", "text": text}
        for name in (name for name, predicted in missed.items() if predicted):
            text = f"No image of {name}{of_label} is called so in any fold: its recall is 0."
            yield {"kind": "missed", "text": text}
    if "per_zone" in details:
        yield from _never_in_zones(details["per_zone"])
    if "objects_true" in details and details["collapsed"]:
        yield {
            "kind": "never",
            "text": "No pixel of any fold is called foreground.",
        }


def _never_in_zones(zones: Mapping[str, Any]) -> Iterator[Caution]:
    """Scores, and "unknown", that zones have and no zone of any fold is given."""
    names = [f"score {k}" for k in range(UNKNOWN)] + ["unknown"]
    for k, name in enumerate(names):
        true = sum(sum(zone["confusion"][k]) for zone in zones.values())
        predicted = sum(row[k] for zone in zones.values() for row in zone["confusion"])
        if true and not predicted:
            text = f"No zone of any fold is called {name}, though {true} are: its recall is 0."
            yield {"kind": "never", "text": text}


def _few(
    rows: Sequence[Mapping[str, str]], details: Mapping[str, Any], units: str
) -> Iterator[Caution]:
    """Too few wrong groups, or groups of a class, for what intervals promise."""
    if "per_class" not in details or not rows:
        return
    groups = len({row["group"] for row in rows})
    # Groups, not images: intervals are drawn over groups, and images of one go wrong together.
    wrong = len({row["group"] for row in rows if predicted(row) != row["label"]})
    if wrong < FEW_WRONG:
        need = f"about {round(groups * FEW_WRONG / wrong):,}" if wrong else "many more"
        text = (
            f"Only {wrong} of {groups} {units} have an image called wrong: intervals that rest on "
            f"fewer than {FEW_WRONG} are wider or narrower than they say. At this rate {need} "
            f"{units} would do."
        )
        yield {"kind": "few", "text": text}
    of_class = {
        name: len({row["group"] for row in rows if row["label"] == name})
        for name in details["classes"]
    }
    for name, n in of_class.items():
        if 0 < n < FEW_OF_CLASS:
            need = round(groups * FEW_OF_CLASS / n)
            text = (
                f"Class {name} has {n} {units}: below {FEW_OF_CLASS} the intervals of "
                f"{called('macro_f1')[0]} and {called('auc')[0]} hold the truth less often than "
                f"they say. At this share about {need:,} {units} in all would do."
            )
            yield {"kind": "few", "text": text}


def predicted(row: Mapping[str, str]) -> str:
    """The class with the largest probability; columns are `p_<class>`."""
    names = (name for name in row if name.startswith("p_"))
    return max(names, key=lambda name: float(row[name])).removeprefix("p_")
