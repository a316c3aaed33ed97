"""Which films a reader wants to see: of each class the best, the worst, and between."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

NAMES = {1: ["median"], 2: ["best", "worst"], 3: ["best", "median", "worst"]}


@dataclass(frozen=True)
class Film:
    """One film: its truth and prediction (class names), their probabilities, its place.

    `part`, of an answer of several, is what these are about.
    """

    sample: str
    label: str
    predicted: str
    p_label: float
    p_predicted: float
    place: str
    part: str = ""

    @property
    def stem(self) -> str:
        """File name without ending; characters that a file system may refuse become `-`."""
        parts = (
            self.sample,
            *filter(None, [self.part]),
            f"predicted-{self.predicted}",
            f"true-{self.label}",
        )
        return "_".join(plain_name(part) for part in parts)


def plain_name(text: str) -> str:
    """A text as part of a file's name."""
    return "".join(letter if letter.isalnum() or letter in "-." else "-" for letter in text)


def choose_films(
    rows: Sequence[dict[str, str]], answers: Mapping[str, Sequence[str]], number: int
) -> list[Film]:
    """Films to show, from rows of val_predictions.csv; `answers` as a task gives them.

    Of an undivided answer `number` films a class; else `number` films in all, each once a part.
    """
    if list(answers) == [""]:
        return films_of_classes(rows, answers[""], number)
    order = sorted(rows, key=lambda row: -_mean_of_truth(row, answers))
    return [
        film
        for row, place in _spread(order, number)
        for film in (_film(row, place, part) for part in answers)
    ]


def _mean_of_truth(row: dict[str, str], answers: Mapping[str, Sequence[str]]) -> float:
    """The probability of the truth, mean over the parts of the answer."""
    return float(np.mean([float(row[f"p_{part}_{row[f'label_{part}']}"]) for part in answers]))


def films_of_classes(
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
        chosen += [_film(row, place) for row, place in _spread(order, per_class)]
    return chosen


def _spread(order: list[dict[str, str]], number: int) -> list[tuple[dict[str, str], str]]:
    """This many rows, evenly from first to last, with the name of their place."""
    n = min(number, len(order))
    # One film alone is the middle one: the first would be the best, and flatter.
    places = [len(order) // 2] if n == 1 else np.linspace(0, len(order) - 1, n).round()
    names = NAMES.get(n, [f"{i + 1} of {n}" for i in range(n)])
    return [(order[int(where)], place) for where, place in zip(places[:n], names, strict=True)]


def _film(row: dict[str, str], place: str, part: str = "") -> Film:
    end = f"_{part}" if part else ""
    label, predicted = row[f"label{end}"], row[f"predicted{end}"]
    return Film(
        sample=row["sample"],
        label=label,
        predicted=predicted,
        p_label=float(row[f"p{end}_{label}"]),
        p_predicted=float(row[f"p{end}_{predicted}"]),
        place=place,
        part=part,
    )
