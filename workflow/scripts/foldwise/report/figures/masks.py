"""Masks: what was found and missed in a few images, objects counted and sized, folds."""

import itertools
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from foldwise.files import read_csv, read_json
from foldwise.report.figures.agreement import dots, draw_differences, summary_of
from foldwise.report.figures.folds import composition, groups_of, judged
from foldwise.report.inputs import Paths
from foldwise.report.style import GREY, PAGE, RAMP

# Dark, middle and light, so that a grey copy tells them apart.
MISSED, BOTH, ADDED = "#14213d", "#2b8f95", "#e8912d"
FADED = 0.78  # share of white over the image beneath
BINS = 5
SPACE, TITLE, LABEL = 0.06, 0.32, 0.25  # inches


def draw_overlays(paths: Paths) -> Figure:
    """Rows best, median, worst; of each image itself, found and missed, and the probability."""
    examples = read_json(paths["examples"][0])
    entries, metric = examples["pictures"], examples["metric"]
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
        predicted = stored["predicted"][number]
        axes[0].imshow(picture, cmap="gray", vmin=0, vmax=255)
        axes[1].imshow(agreement(picture, truth, predicted >= threshold * 255))
        axes[2].imshow(predicted, cmap=RAMP, vmin=0, vmax=255)
        caption = f"{metric.capitalize()} {float(entry[metric]):.2f}, objects "
        caption += f"{entry['objects_predicted']} found, {entry['objects_true']} true"
        axes[0].annotate(caption, (0, 1), (0, 3), "axes fraction", "offset points", size=6.5)
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


def agreement(picture: np.ndarray, truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """(H, W, 3) in 0..1: a faded picture (H, W[, 3]) under what was found, missed and added."""
    grey = picture if picture.ndim == 2 else picture.mean(axis=2)
    shown = np.repeat((grey / 255 * (1 - FADED) + FADED)[..., None], 3, axis=2)
    for where, colour in (
        (truth & predicted, BOTH),
        (truth & ~predicted, MISSED),
        (predicted & ~truth, ADDED),
    ):
        shown[where] = to_rgb(colour)
    return shown


def draw_objects(paths: Paths) -> Figure:
    """Counts against truth and their differences, sizes against truth, overlap against share."""
    rows = [row for path in paths["predictions"] for row in read_csv(path)]
    figure = Figure(figsize=(PAGE, 5.6))
    (count, spread), (area, overlap) = figure.subplots(2, 2)
    true, predicted = _column(rows, "objects_true"), _column(rows, "objects_predicted")
    _against_truth(count, true, predicted, "objects in an image")
    draw_differences(spread, true, predicted, decimals=1, headroom=1.2)
    spread.set_title("Counts: limits of agreement")
    spread.set_xlim(None, 1.25 * max([1.0, *(true + predicted) / 2]))
    spread.set(xlabel="mean of both counts", ylabel="predicted minus true")
    sizes = _column(rows, "object_pixels_true"), _column(rows, "object_pixels_predicted")
    _against_truth(area, *sizes, "median object, pixels")
    _overlap(overlap, rows)
    return figure


def _column(rows: list[dict[str, str]], name: str) -> np.ndarray:
    return np.array([float(row[name]) if row[name] else np.nan for row in rows])


def _against_truth(axis: Axes, true: np.ndarray, predicted: np.ndarray, what: str) -> None:
    both = ~np.isnan(true) & ~np.isnan(predicted)
    true, predicted = true[both], predicted[both]
    top = 1.08 * max([1.0, *true, *predicted])
    axis.plot([0, top], [0, top], color=GREY, linewidth=0.9)
    dots(axis, true, predicted, clip_on=False)
    name = what.split(",")[0].capitalize()
    axis.set_title(f"{name}: {summary_of(true, predicted, '.3g')}" if len(true) else what)
    axis.set(xlim=(-0.02 * top, top), ylim=(-0.02 * top, top), aspect="equal")
    axis.set(xlabel=f"true {what}", ylabel=f"predicted {what}")
    axis.grid(visible=False)


def _overlap(axis: Axes, rows: list[dict[str, str]]) -> None:
    share, jaccard = _column(rows, "truth"), _column(rows, "jaccard")
    # A logarithmic axis has no place for an empty mask.
    both = (share > 0) & ~np.isnan(jaccard)
    dots(axis, share[both], jaccard[both], clip_on=False)
    # Foregrounds differ by powers of ten: on a plain scale small ones lie on each other.
    axis.set_xscale("log")
    axis.set_title(f"Overlap: median Jaccard {np.median(jaccard[both]):.2f}" if both.any() else "")
    axis.set(ylim=(-0.03, 1.03), xlabel="true foreground, pixels", ylabel="Jaccard of an image")


def draw_composition(paths: Paths) -> Figure:
    """Images of each fifth of the foreground share in the part that a fold is judged on."""
    parts = judged(paths)
    shares = [np.array([float(row["foreground"]) for row in rows]) for rows in parts.values()]
    # Over all parts together, so that a bar of one colour is the same range in each fold.
    edges = np.quantile(np.concatenate(shares), np.linspace(0, 1, BINS + 1))
    counts = [np.bincount(_fifth(part, edges), minlength=BINS) for part in shares]
    names = [f"{100 * low:.2g}–{100 * high:.2g} %" for low, high in itertools.pairwise(edges)]
    return composition(parts, np.array(counts), names, "images", groups_of(paths))


def _fifth(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.searchsorted(edges[1:-1], values, side="right")
