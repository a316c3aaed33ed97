"""MATHEMATICAL_ANALYSIS_SUMMARY.md: the losses of a space, and what they were measured to weigh."""

from collections.abc import Mapping
from typing import Any

from foldwise.search.analysis.tables import code, document, number, setting, table

# p: probability of the truth of an element; y: truth 0 or 1 of a pixel, q: its probability of 1.
# One entry a loss, as its docstring in foldwise.losses defines it; a test holds them together.
EQUATIONS = {
    "cross_entropy": ("L = -log p", "|dL/dz| of the true class = 1 - p"),
    "focal": ("L = -(1 - p)^gamma log p", "the factor (1 - p)^gamma weakens what is easy"),
    "ordinal": (
        "L = mean over thresholds k of (P(class <= k) - [y <= k])^2",
        "answers far from the truth in the order weigh more",
    ),
    "ordinal_cumulative": (
        "L = mean over thresholds of the cross-entropy of `above the threshold`",
        "each threshold between two classes is a question of its own",
    ),
    "zone_cross_entropy": (
        "L = sum w_y (-log p) / sum w_y",
        "w is `unknown_weight` where a zone cannot be scored, else 1",
    ),
    "zone_ordinal": (
        "L = zone cross-entropy + ordinal_weight x squared distance of cumulative distributions",
        "scores far from the truth weigh more",
    ),
    "dice": (
        "L = 1 - (2 sum y q + e) / (sum y + sum q + e)",
        "dL/dq = -2 (y (S + Q) - I) / (S + Q)^2 with I = sum y q, S = sum y, Q = sum q: all pixels "
        "of a batch share one denominator",
    ),
    "tversky": (
        "L = 1 - (TP + e) / (TP + a FN + b FP + e)",
        "a above b makes missed pixels dearer than added ones",
    ),
    "focal_tversky": ("L = (1 - TI)^gamma", "gamma above 1 weakens batches that are solved"),
    "binary_focal": ("L = mean of -alpha (1 - p)^gamma log p", "(1 - p)^gamma weakens easy pixels"),
    "combined": ("L = s Dice + (1 - s) focal", "gradients add with the same shares"),
    "combined_tversky": ("L = s Tversky + (1 - s) focal", "gradients add with the same shares"),
    "distillation": (
        "L = alpha mean of cross-entropies + beta T^2 KL(teacher || student) + feature terms",
        "T above 1 evens out both distributions",
    ),
}


def mathematics(study: str, report: Mapping[str, Any] | None) -> str:
    """The document; without predictions it says what is missing, and assumes nothing."""
    title = f"What the losses of {study} weigh"
    if report is None:
        return document(
            title,
            [
                (
                    "Not measured",
                    "These trials come from another system's table, without models and masks. "
                    "Shares of easy and hard pixels and of their gradient are measured on own "
                    "predictions only, so there are none here.",
                )
            ],
        )
    sections = [
        ("Equations", equations(report)),
        ("Measured", measured(report)),
        ("What follows", follows(report)),
        ("How it was measured", method(report)),
    ]
    return document(title, sections)


def equations(report: Mapping[str, Any]) -> str:
    """The equation of each loss with its settings."""
    parts = []
    for name in report["losses"]:
        formula, remark = EQUATIONS[name]
        given = report["settings"][name].items()
        settings = ", ".join(
            f"{code(k)} {setting(v)}" for k, v in given if k != "name" and v is not None
        )
        stated = f" Settings: {settings}." if settings else ""
        parts.append(f"### {code(name)}\n\n    {formula}\n\nNote: {remark}.{stated}")
    return "\n\n".join(parts)


def measured(report: Mapping[str, Any]) -> str:
    """Shares of elements and of gradient by difficulty, for each loss and size."""
    rows = []
    for name, loss in report["losses"].items():
        for size, one in loss["sizes"].items():
            shares = [f"{one['shares'][part]:.1%}" for part in ("easy", "medium", "hard")]
            gradient = [f"{one['gradient'][part]:.1%}" for part in ("easy", "medium", "hard")]
            rows.append([code(name), size, f"{one['n']:,}", one["loss"], *shares, *gradient,
                         _factor(one)])  # fmt: skip
    head = ["Loss", "Size", "Number", "Value", "Easy", "Medium", "Hard"]
    head += ["Gradient of easy", "of medium", "of hard", "Hard over easy, each"]
    return table(head, rows)


def factor(sizes: Mapping[str, Any]) -> float | None:
    """Mean gradient of a hard element over that of an easy one; None without either."""
    if not sizes["shares"]["hard"] or not sizes["gradient"]["easy"]:
        return None
    hard = sizes["gradient"]["hard"] / sizes["shares"]["hard"]
    return hard / (sizes["gradient"]["easy"] / sizes["shares"]["easy"])


def _factor(sizes: Mapping[str, Any]) -> str:
    value = factor(sizes)
    return "-" if value is None else f"{value:,.1f}"


def follows(report: Mapping[str, Any]) -> str:
    """Which loss looks most at what is hard, in numbers."""
    size = max(next(iter(report["losses"].values()))["sizes"], key=int)
    by_loss = {name: loss["sizes"][size] for name, loss in report["losses"].items()}
    lines = []
    for name, one in by_loss.items():
        value = factor(one)
        if value is None:
            comparison = "there are no hard or no easy ones, so nothing can be compared"
        else:
            comparison = f"a hard one weighs {value:,.1f} times as much as an easy one on average"
        lines.append(
            f"- {code(name)}: hard ones are {one['shares']['hard']:.1%} of all and give "
            f"{one['gradient']['hard']:.1%} of the gradient; {comparison}."
        )
    order = sorted(by_loss, key=lambda name: -by_loss[name]["gradient"]["hard"])
    if len(order) > 1:
        lines.append(f"- By the share of gradient from hard ones: {', '.join(map(code, order))}.")
    return "\n".join(lines)


def method(report: Mapping[str, Any]) -> str:
    """Elements, thresholds, whose predictions, and how well gradients agree with differences."""
    errors = [one["error"] for loss in report["losses"].values() for one in loss["sizes"].values()]
    return (
        f"Elements are {report['element']}, of {report['images']} validation images of "
        f"{code(report['run'])}, in batches as in training. p is what the model gives to the "
        f"truth: hard below {report['hard']}, easy from {report['easy']} on. Gradients of each "
        "loss with respect to the network's outputs are PyTorch's own; along their sign they "
        f"differ from central differences by at most {number(max(errors))} of their size."
    )
