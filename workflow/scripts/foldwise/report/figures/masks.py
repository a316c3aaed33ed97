"""Masks: what was found and missed in a few images, objects counted and sized, folds."""

import itertools
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from foldwise.files import read_csv, read_json
from foldwise.metrics.numbers import pearson
from foldwise.report.figures.folds import composition, unit_of
from foldwise.report.inputs import Paths
from foldwise.report.style import ACCENT, GREY, INK, PAGE, RAMP

# Dark, middle and light, so that a grey copy tells them apart.
MISSED, BOTH, ADDED = "#14213d", "#2b8f95", "#e8912d"
FADED = 0.78  # share of white over the image beneath
LIMIT = 1.96  # standard deviations on either side: 95 % of differences, if they are normal
BINS = 5
SPACE, TITLE, LABEL = 0.06, 0.32, 0.25  # inches


def draw_overlays(paths: Paths) -> Figure:
    """Rows best, median, worst; of each image itself, found and missed, and the probability."""
    told = read_json(paths["examples"][0])
    entries, metric = told["pictures"], told["metric"]
    stored = np.load(Path(paths["examples"][0]).with_suffix(".npz"))
    threshold = read_json(paths["params"][0])["task"]["threshold"]
    lines = list(dict.fromkeys(entry["place"] for entry in entries))
    across = max(sum(entry["place"] == line for entry in entries) for line in lines)
    side = min(1.6, (PAGE - LABEL) / (3 * across) - SPACE)
    size = (LABEL + 3 * across * (side + SPACE), len(lines) * (side + TITLE) + 0.3)
    figure = Figure(figsize=size, layout="none")
    filled = dict.fromkeys(lines, 0)
    for number, entry in enumerate(entries):
        line, column = lines.index(entry["place"]), 3 * filled[entry["place"]]
        filled[entry["place"]] += 1
        axes = [_axes(figure, line, column + k, side) for k in range(3)]
        picture, truth = stored["pictures"][number], stored["truth"][number]
        found = stored["found"][number]
        axes[0].imshow(picture, cmap="gray", vmin=0, vmax=255)
        axes[1].imshow(agreement(picture, truth, found >= threshold * 255))
        axes[2].imshow(found, cmap=RAMP, vmin=0, vmax=255)
        said = f"{metric.capitalize()} {float(entry[metric]):.2f}, objects "
        said += f"{entry['objects_predicted']} found, {entry['objects_true']} true"
        axes[0].annotate(said, (0, 1), (0, 3), "axes fraction", "offset points", size=6.5)
        if column == 0:
            axes[0].set_ylabel(entry["place"], weight="bold", labelpad=4)
    names = {"found": BOTH, "missed": MISSED, "added": ADDED}
    handles = [Patch(color=colour, label=name) for name, colour in names.items()]
    figure.legend(handles=handles, loc="lower left", ncols=3, bbox_to_anchor=(0, 0))
    return figure


def _axes(figure: Figure, line: int, column: int, side: float) -> Axes:
    width, height = figure.get_size_inches()
    left, top = LABEL + column * (side + SPACE), line * (side + TITLE) + TITLE
    place = (left / width, (height - top - side) / height, side / width, side / height)
    axis = figure.add_axes(place)
    axis.set(xticks=[], yticks=[])
    axis.grid(visible=False)
    axis.spines[:].set_visible(True)
    return axis


def agreement(picture: np.ndarray, truth: np.ndarray, found: np.ndarray) -> np.ndarray:
    """(H, W, 3) in 0..1: a faded picture (H, W[, 3]) under what was found, missed and added."""
    grey = picture if picture.ndim == 2 else picture.mean(axis=2)
    shown = np.repeat((grey / 255 * (1 - FADED) + FADED)[..., None], 3, axis=2)
    for where, colour in ((truth & found, BOTH), (truth & ~found, MISSED), (found & ~truth, ADDED)):
        shown[where] = to_rgb(colour)
    return shown


def draw_objects(paths: Paths) -> Figure:
    """Counts against truth and their differences, sizes against truth, overlap against share.

    Limits of agreement: Bland & Altman 1986, Lancet 327:307, bias +- 1.96 standard deviations.
    """
    rows = [row for path in paths["predictions"] for row in read_csv(path)]
    figure = Figure(figsize=(PAGE, 5.6))
    (count, spread), (area, overlap) = figure.subplots(2, 2)
    true, found = _column(rows, "objects_true"), _column(rows, "objects_predicted")
    _against_truth(count, true, found, "objects in an image")
    _differences(spread, true, found)
    sizes = _column(rows, "object_pixels_true"), _column(rows, "object_pixels_predicted")
    _against_truth(area, *sizes, "median object, pixels")
    _overlap(overlap, rows)
    return figure


def _column(rows: list[dict[str, str]], name: str) -> np.ndarray:
    return np.array([float(row[name]) if row[name] else np.nan for row in rows])


def _against_truth(axis: Axes, true: np.ndarray, found: np.ndarray, what: str) -> None:
    both = ~np.isnan(true) & ~np.isnan(found)
    true, found = true[both], found[both]
    top = 1.08 * max(1.0, *true, *found)
    axis.plot([0, top], [0, top], color=GREY, linewidth=0.9)
    _points(axis, true, found)
    said = f"r {pearson(true, found):.2f}, mean error {np.abs(found - true).mean():.3g}"
    axis.set_title(f"{what.split(',')[0].capitalize()}: {said}" if len(true) else what)
    axis.set(xlim=(-0.02 * top, top), ylim=(-0.02 * top, top), aspect="equal")
    axis.set(xlabel=f"true {what}", ylabel=f"predicted {what}")
    axis.grid(visible=False)


def _differences(axis: Axes, true: np.ndarray, found: np.ndarray) -> None:
    middle, error = (true + found) / 2, found - true
    bias, reach = error.mean(), LIMIT * error.std(ddof=1) if len(error) > 1 else np.nan
    _points(axis, middle, error)
    axis.axhline(0, color=GREY, linewidth=0.6)
    for value, name in ((bias, "bias"), (bias - reach, "lower"), (bias + reach, "upper")):
        style = "-" if name == "bias" else (0, (5, 1.5))
        axis.axhline(value, color=INK, linewidth=0.9, linestyle=style)
        said = f"{name} {value:+.1f}".replace("-", "−")
        axis.annotate(
            said, (1, value), (-2, 2), ("axes fraction", "data"),
            "offset points", ha="right", size=6.5,
        )  # fmt: skip
    highest = max(1.0, 1.2 * np.nanmax(np.abs([*error, bias - reach, bias + reach])))
    axis.set_title("Counts: limits of agreement")
    axis.set(ylim=(-highest, highest), xlim=(None, 1.25 * max(1.0, *middle)))
    axis.set(xlabel="mean of both counts", ylabel="predicted minus true")


def _overlap(axis: Axes, rows: list[dict[str, str]]) -> None:
    share, jaccard = _column(rows, "truth"), _column(rows, "jaccard")
    both = (share > 0) & ~np.isnan(jaccard)
    _points(axis, share[both], jaccard[both])
    axis.set_xscale("log")
    axis.set_title(f"Overlap: median Jaccard {np.median(jaccard[both]):.2f}" if both.any() else "")
    axis.set(ylim=(-0.03, 1.03), xlabel="true foreground, pixels", ylabel="Jaccard of an image")


def _points(axis: Axes, x: np.ndarray, y: np.ndarray) -> None:
    axis.scatter(x, y, s=13, color=ACCENT, alpha=0.55, linewidth=0, clip_on=False)


def draw_composition(paths: Paths) -> Figure:
    """Images of each fifth of the foreground share in the part that a fold is judged on."""
    cohort = {row["sample"]: row for row in read_csv(paths["cohort"][0])}
    parts = [
        [cohort[row["sample"]] for row in read_csv(path) if row["part"] == "val"]
        for path in paths["folds"]
    ]
    shares = [np.array([float(row["foreground"]) for row in part]) for part in parts]
    edges = np.quantile(np.concatenate(shares), np.linspace(0, 1, BINS + 1))
    counts = [np.bincount(_fifth(part, edges), minlength=BINS) for part in shares]
    names = [f"{100 * low:.2g}–{100 * high:.2g} %" for low, high in itertools.pairwise(edges)]
    return composition(parts, np.array(counts), names, "images", unit_of(paths))


def _fifth(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.searchsorted(edges[1:-1], values, side="right")
