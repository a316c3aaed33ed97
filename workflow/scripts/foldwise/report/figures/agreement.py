"""What is predicted against what is true, as dots, and their difference with its limits."""

import numpy as np
from matplotlib.axes import Axes

from foldwise.evaluate.metrics.numbers import mean_defined, pearson
from foldwise.report.style import ACCENT, GREY, INK, number

LIMIT = 1.96  # standard deviations on either side: 95 % of differences, if they are normal


def dots(axis: Axes, x: np.ndarray, y: np.ndarray, clip_on: bool = True) -> None:
    """A dot an image."""
    axis.scatter(x, y, s=13, color=ACCENT, alpha=0.55, linewidth=0, clip_on=clip_on)


def summary_of(truth: np.ndarray, predicted: np.ndarray, digits: str) -> str:
    """Correlation and mean error in words; `digits` is the error's format."""
    error = mean_defined(np.abs(predicted - truth))
    return f"r {number(pearson(truth, predicted), '.2f')}, mean error {number(error, digits)}"


def limits_of_agreement(truth: np.ndarray, predicted: np.ndarray) -> tuple[float, float]:
    """Bias, and how far the limits lie on either side of it: 1.96 standard deviations (n - 1).

    Bland & Altman 1986, Lancet 327:307. NaN for the second with less than two images, for both
    without any.
    """
    error = predicted - truth
    reach = LIMIT * error.std(ddof=1) if len(error) > 1 else np.nan
    return mean_defined(error), float(reach)


def draw_differences(
    axis: Axes, truth: np.ndarray, predicted: np.ndarray, decimals: int, headroom: float
) -> None:
    """Difference against the mean of both, with bias and limits; `headroom` for words, relative."""
    bias, reach = limits_of_agreement(truth, predicted)
    dots(axis, (truth + predicted) / 2, predicted - truth)
    axis.axhline(0, color=GREY, linewidth=0.6)
    lines = {} if np.isnan(bias) else {"bias": bias}
    # Without any spread the limits are the bias, and one image has none.
    lines |= {"lower": bias - reach, "upper": bias + reach} if reach > 0 else {}
    for name, value in lines.items():
        style = "-" if name == "bias" else (0, (5, 1.5))
        axis.axhline(value, color=INK, linewidth=0.9, linestyle=style)
        # A true minus sign: a hyphen is hard to see at this size.
        label = f"{name} {value:+.{decimals}f}".replace("-", "−")
        axis.annotate(
            label, (1, value), (-2, 2), ("axes fraction", "data"),
            "offset points", ha="right", size=6.5,
        )  # fmt: skip
    farthest = max(map(abs, [*(predicted - truth), *lines.values()]), default=0.0)
    # Even about 0, and never narrower than one step: tiny errors must not fill the panel.
    highest = max(1.0, headroom * farthest)
    axis.set(ylim=(-highest, highest))
