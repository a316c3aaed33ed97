"""Which films a reader wants to see: of each class the best, the worst, and between."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

NAMES = {1: ["median"], 2: ["best", "worst"], 3: ["best", "median", "worst"]}


@dataclass(frozen=True)
class Film:
    """One film: its truth and prediction (class names), their probabilities, its place."""

    sample: str
    label: str
    predicted: str
    p_label: float
    p_predicted: float
    place: str

    @property
    def stem(self) -> str:
        """File name without ending; characters that a file system may refuse become `-`."""
        parts = (self.sample, f"predicted-{self.predicted}", f"true-{self.label}")
        return "_".join(_plain(part) for part in parts)


def _plain(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-." else "-" for letter in text)


def choose_films(
    rows: Sequence[dict[str, str]], classes: Sequence[str], per_class: int
) -> list[Film]:
    """Films of each class from best to worst by the probability of the truth.

    rows: those of val_predictions.csv (label, predicted, p_<class>). With three a class these are
    the best, the median and the worst; a class with fewer films shows each once.
    """
    chosen = []
    for name in classes:
        of_class = [row for row in rows if row["label"] == name]
        # Ties keep the table's order, which is that of the content.
        order = sorted(of_class, key=lambda row: -float(row[f"p_{row['label']}"]))
        n = min(per_class, len(order))
        places = [len(order) // 2] if n == 1 else np.linspace(0, len(order) - 1, n).round()
        names = NAMES.get(n, [f"{i + 1} of {n}" for i in range(n)])
        for where, place in zip(places[:n], names, strict=True):
            chosen.append(_film(order[int(where)], place))
    return chosen


def _film(row: dict[str, str], place: str) -> Film:
    return Film(
        sample=row["sample"],
        label=row["label"],
        predicted=row["predicted"],
        p_label=float(row[f"p_{row['label']}"]),
        p_predicted=float(row[f"p_{row['predicted']}"]),
        place=place,
    )
