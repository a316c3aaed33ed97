"""How metrics, settings and classical methods are called in sentences, tables and figures."""

from collections.abc import Sequence

from foldwise.metrics import TABLE, head_of, metric_of, titled

__all__ = ["called", "head_of", "method_name", "setting_name", "significant", "spoken", "titled"]

# First words that keep their capital inside a sentence.
NAMES = ("Brier", "Dice", "Jaccard")
# Classical methods, as the table beside them calls them.
BASELINES = {
    "logistic_statistics": "Logistic regression on pixel statistics",
    "second_reader": "Second reader",
    "logistic_text": "Logistic regression on words (TF-IDF)",
    "logistic_pixels": "Logistic regression on pixel statistics",
    "logistic_text_pixels": "Logistic regression on words and pixel statistics",
    "ridge_pixels": "Ridge regression on small pictures",
    "otsu": "Otsu threshold, best channel",
    "otsu_smaller": "Otsu threshold, the smaller side of each picture",
    "otsu_flat": "Otsu threshold, blurred background taken off",
    "otsu_median": "Otsu threshold, median background taken off",
}
# Details of a metrics file that are tables of parts of an answer: where the parts are named in
# their order, the heading, and that of the table of how well it is found which can be judged.
PARTS = {"per_zone": (("task", "zones"), "Zones", "Zones that cannot be scored")}
# Keys of the tables of a report, in their order; and those told of each label where a sample has
# several.
IN_TABLES = tuple(metric.name for metric in TABLE if metric.in_tables)
IN_LABELS = tuple(metric.name for metric in TABLE if metric.in_labels)
# Those that share one axis in a figure: the more the better, one is perfect.
ON_AXIS = tuple(metric.name for metric in TABLE if metric.on_axis)
DETECTION = tuple(metric.name for metric in TABLE if metric.detects)


def is_single_split(folds: Sequence[int]) -> bool:
    """Whether one split judged a run: then nothing is a mean over folds, nor has a spread."""
    return len(folds) == 1


def called(name: str) -> tuple[str, str]:
    """Name of a metric and how to read it; `<label>_<metric>` where there are several labels."""
    metric = metric_of(name)
    # A cost of a search is no metric of the table: its key is its name.
    return (metric.title, metric.meaning) if metric else (titled(name), "")


def spoken(name: str) -> str:
    """Name of a metric inside a sentence; an abbreviation or a person's name stays as it is."""
    title = called(name)[0]
    # Two capitals begin an abbreviation: AUC stays, Accuracy does not.
    kept = title[:2].isupper() or title.startswith(NAMES)
    return title if kept else title[:1].lower() + title[1:]


def method_name(name: str) -> str:
    """A run or classical method (`baseline_<name>` as a run) as a reader calls it."""
    own = name.removeprefix("baseline_")
    return BASELINES.get(own, own.replace("_", " "))


def setting_name(key: str) -> str:
    """A parameter in running text: the last part of its key that says what it is."""
    parts = key.split(".")
    own = parts[-2] if parts[-1] == "name" and len(parts) > 1 else parts[-1]
    # A search may vary both networks: their rates are two parameters.
    whose = "teacher's " if parts[0] == "teacher" and len(parts) > 1 else ""
    return whose + own.replace("_", " ")


def significant(value: float, digits: int = 3) -> str:
    """A number with so many digits, never with an exponent; one near 0 with its first digit."""
    text = f"{value:.{digits}g}"
    if "e" not in text:
        return text
    if abs(value) >= 1:
        return f"{value:,.0f}"
    # A bound just beside 0 has to keep its sign, and nobody reads more of it.
    return f"{value:.{-int(f'{value:.0e}'.partition('e')[2])}f}"
