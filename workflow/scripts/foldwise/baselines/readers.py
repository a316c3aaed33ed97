"""A second reader of the same images: how far two people agree, which no network need exceed."""

from typing import Any

import numpy as np

from foldwise.cohort.tables.second_reader import PREFIX


def second_reader(
    params: Any, task: Any, images: Any, train_rows: Any, val_rows: Any
) -> dict[str, np.ndarray]:
    """{"probability": (N, K) or (N, Z, V)}: all of it on what the reader said."""
    rows = [row | {c: row[PREFIX + c] for c in task.label_columns} for row in val_rows]
    (labels,) = task.targets(rows).values()
    number = len(next(iter(task.answers().values())))
    return {"probability": np.eye(number)[labels]}
