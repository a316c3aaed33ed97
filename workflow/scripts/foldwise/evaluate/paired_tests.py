"""Two runs' answers on the same images: McNemar, signs over groups, and DeLong's test of areas."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from foldwise.evaluate.cautions import predicted
from foldwise.evaluate.metrics.averaging import average, has_probabilities
from foldwise.evaluate.metrics.paired import DeLong, delong, holm, mcnemar, sign_flip

Rows = list[dict[str, str]]


def tests_of(before: Rows, after: Rows) -> dict[str, Any]:
    """All tests of the answers: of the one label, and `<test>_of` each of several labels.

    `mcnemar`: one prediction a group, by mean probability; `sign_flip`: images right of each
    group; `delong`: areas of each class, one prediction a group, p by Holm's correction. None
    where no classes are predicted.
    """
    heads = [name.removeprefix("label_") for name in before[0] if name.startswith("label_")]
    made = {"mcnemar": exact_mcnemar, "sign_flip": signs_over_groups, "delong": areas_of_classes}
    of_heads = {
        head: [[_of_head(row, head, heads) for row in run] for run in (before, after)]
        for head in heads
    }
    tests = {name: test(before, after) for name, test in made.items()}
    return tests | {
        f"{name}_of": {head: test(*rows) for head, rows in of_heads.items()}
        for name, test in made.items()
    }


def _by_group(before: Rows, after: Rows) -> list[Rows] | None:
    """One row a group in both runs, of those with one truth; None where there is none."""
    if not has_probabilities(before) or "label" not in before[0]:
        return None
    # One row a group: McNemar's and DeLong's tests take rows for independent.
    rows = [average(run, "group")[0] for run in (before, after)]
    return rows if rows[0] else None


def signs_over_groups(before: Rows, after: Rows) -> dict[str, Any] | None:
    """The sign-flip test over groups of how many images each run has right."""
    if not has_probabilities(before) or "label" not in before[0]:
        return None
    gained: dict[str, int] = {}
    for one, other in zip(before, after, strict=True):
        # Images of a group go into one sum: signs are flipped for whole groups.
        gain = (predicted(other) == other["label"]) - (predicted(one) == one["label"])
        gained[one["group"]] = gained.get(one["group"], 0) + gain
    differences = np.array(list(gained.values()))
    return {
        "groups": len(differences),
        "differing": int((differences != 0).sum()),
        "images_gained": int(differences.sum()),
        "p": sign_flip(differences),
    }


def areas_of_classes(before: Rows, after: Rows) -> dict[str, Any] | None:
    """Class -> both areas and DeLong's p, also by Holm's correction; of two classes the second.

    Where a test cannot be made its p are None, and `why` says what lacks.
    """
    rows = _by_group(before, after)
    if rows is None:
        return None
    classes = [name.removeprefix("p_") for name in rows[0][0] if name.startswith("p_")]
    tests = {}
    # Of two classes the areas are one number: testing both would count one test twice.
    for name in classes[1:] if len(classes) == 2 else classes:
        positive = np.array([row["label"] == name for row in rows[0]])
        scores = [np.array([float(row[f"p_{name}"]) for row in run]) for run in rows]
        tests[name] = delong(positive, *scores)
    # Only tests that were made count in Holm's correction.
    made = [name for name, test in tests.items() if not test.why]
    adjusted = dict(zip(made, holm([tests[name].p for name in made]), strict=True))
    return {name: _area(test, adjusted.get(name)) for name, test in tests.items()}


def _area(test: DeLong, p_holm: float | None) -> dict[str, Any]:
    values = {"first": test.first, "second": test.second, "p": test.p}
    # JSON has no NaN; without both sides there is not even an area.
    numbers = {name: None if np.isnan(value) else value for name, value in values.items()}
    return numbers | {"p_holm": p_holm} | ({"why": test.why} if test.why else {})


def exact_mcnemar(before: list[dict], after: list[dict]) -> dict[str, Any] | None:
    """McNemar's exact test with one prediction a group, by mean probability.

    None where no classes are predicted, or groups have no one truth.
    """
    rows = _by_group(before, after)
    if rows is None:
        return None
    right = [np.array([predicted(row) == row["label"] for row in run]) for run in rows]
    test = mcnemar(*right)
    return {
        "groups": len(right[0]),
        "only_first": test.only_first,
        "only_second": test.only_second,
        "p": test.p,
    }


def _of_head(row: dict[str, str], head: str, heads: Sequence[str]) -> dict[str, str]:
    """A row as if this label were its only one."""
    prefix = f"p_{head}_"
    # Another label's name may begin with this one's.
    longer = tuple(f"p_{one}_" for one in heads if one.startswith(f"{head}_"))
    own = {
        f"p_{name.removeprefix(prefix)}": value
        for name, value in row.items()
        if name.startswith(prefix) and not name.startswith(longer)
    }
    named = {name: row[name] for name in ("sample", "group", "exam") if name in row}
    return named | {"label": row[f"label_{head}"]} | own
