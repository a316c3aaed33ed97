"""How another site's images and labels differ from those of the training, by counts and moments.

Images of one patient are alike, so that these tests of single images call differences clear
somewhat too readily: sizes of differences come first.
"""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from scipy import stats

from foldwise.reliability.subgroups import hidden

# Share of the training images that are called far (`cohort_facts.FAR`).
EXPECTED_FAR = 0.05


def shift(trained: Mapping[str, Any], facts: Mapping[str, Any], least: int) -> dict[str, Any]:
    """Label shares, grey levels and features: training cohort against this one.

    trained: of `cohort_facts`; facts: of `predict_site`. Of a value that fewer groups than `least`
    have here no share is told.
    """
    here, groups = facts["cohort"], facts["groups"]
    return {
        "labels": {
            name: label_shift(
                counts,
                here["labels"].get(name, {}),
                rare_values(here["labels"].get(name, {}), groups.get(name, {}), least),
            )
            for name, counts in trained["labels"].items()
        },
        "foreground": moments(trained["foreground"], here["foreground"]),
        "brightness": moments(trained["intensity"]["mean"], here["intensity"]["mean"]),
        "contrast": moments(trained["intensity"]["contrast"], here["intensity"]["contrast"]),
        "grey_levels": {
            "trained": trained["intensity"]["histogram"],
            "here": here["intensity"]["histogram"],
            "overlap": overlap(trained["intensity"]["histogram"], here["intensity"]["histogram"]),
        },
        "features": features(facts["far"]),
    }


def rare_values(
    counts: Mapping[str, int], groups: Mapping[str, int], least: int
) -> Collection[str]:
    """Values of too few groups to be told of, by the rule of subgroups; one that nobody has says
    nothing of anybody."""
    levels = [{"level": name, "n": n, "few": groups[name] < least} for name, n in counts.items()]
    return {level["level"] for level in hidden(levels) if level["few"]}


def label_shift(
    trained: Mapping[str, int], here: Mapping[str, int], rare: Collection[str] = ()
) -> dict[str, Any]:
    """Shares of each value, their total variation distance, and a chi-squared test.

    Rare values have no share here and count as one in distance and test: of each by itself, these
    would give away what the shares do not.
    """
    names = sorted({*trained, *here})
    counts = np.array([[side.get(name, 0) for name in names] for side in (trained, here)])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    few = np.array([name in rare for name in names], bool)
    together = _together(counts, few)
    testable = together.shape[1] > 1 and (counts.sum(axis=1) > 0).all()
    apart = np.abs(np.subtract(*_together(shares, few))).sum() / 2
    here_of = dict(zip(names, shares[1].tolist(), strict=True))
    return {
        "names": names,
        "trained": shares[0].tolist(),
        "here": [None if name in rare else share for name, share in here_of.items()],
        "distance": float(apart),
        "p": float(stats.chi2_contingency(together).pvalue) if testable else None,
    }


def _together(table: np.ndarray, few: np.ndarray) -> np.ndarray:
    """A table (2, K) with the columns of rare values added up as one at its end."""
    if not few.any():
        return table
    return np.column_stack([table[:, ~few], table[:, few].sum(axis=1)])


def moments(trained: Mapping[str, Any], here: Mapping[str, Any]) -> dict[str, Any] | None:
    """Means, their difference in standard deviations, and Welch's test; None without both."""
    if not trained or not here:
        return None
    sides = [(side["mean"], side["std"], side["n"]) for side in (trained, here)]
    # Unweighted by size: a large training cohort would else set the unit alone (Cohen's d).
    pooled = float(np.sqrt((trained["std"] ** 2 + here["std"] ** 2) / 2))
    testable = min(trained["n"], here["n"]) > 1 and pooled > 0
    # Welch: scanners differ in spread as well as in mean. Moments are all that a bundle carries.
    test = stats.ttest_ind_from_stats(*sides[0], *sides[1], equal_var=False) if testable else None
    return {
        "trained": trained["mean"],
        "here": here["mean"],
        "difference_sd": (here["mean"] - trained["mean"]) / pooled if pooled else None,
        "p": float(test.pvalue) if test else None,
    }


def overlap(trained: list[float], here: list[float]) -> float:
    """Common area of two histograms of shares: 1 where they are equal, 0 where they are apart."""
    return float(np.minimum(trained, here).sum())


def features(far: Mapping[str, int]) -> dict[str, Any]:
    """Share of images far out in features, against the one in twenty of the training."""
    # One-sided: fewer far images than in training are no cause for alarm.
    test = stats.binomtest(far["far"], far["n"], EXPECTED_FAR, alternative="greater")
    share = far["far"] / far["n"]
    return {"far": far["far"], "n": far["n"], "share": share, "expected": EXPECTED_FAR} | {
        "p": float(test.pvalue)
    }
