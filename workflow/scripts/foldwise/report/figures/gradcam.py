"""Grad-CAM grid: a row a class, each film beside itself with what spoke for the prediction."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from foldwise.files import read_json
from foldwise.report.cam.overlay import overlay
from foldwise.report.inputs import Paths, best_fold, of_fold
from foldwise.report.style import GREY, INK, PAGE

HALF = 0.5  # Level of the contour, of a map from 0 to 1.
# Inches: above a film, at the left, between two films, the largest and smallest film, the height
# up to which films are made smaller.
TITLE, LABEL, SPACE, LARGEST, SMALLEST, TALLEST = 0.33, 0.3, 0.06, 1.25, 0.85, 9.6
MOST_PAIRS = 3
LETTERS_PER_INCH = 16


def draw(paths: Paths) -> Figure:
    """Grid of the best fold (or the only one given): films from best to worst, left to right."""
    if len(paths["gradcam"]) > 1:
        paths = of_fold(paths, best_fold(paths))
    folder = Path(paths["gradcam"][0]).parent
    entries = read_json(folder / "gradcam.json")["films"]
    stored = np.load(folder / "gradcam.npz")
    if entries[0].get("part"):
        return _of_parts(entries, stored["films"], stored["maps"])
    places, lines = _places([entry["label"] for entry in entries])
    columns = 2 * (1 + max(column for _, column in places))
    # As large as the page's width allows, and its height as long as films can still be read.
    side = min(LARGEST, (PAGE - LABEL) / columns - SPACE, max(SMALLEST, TALLEST / lines - TITLE))
    size = (LABEL + columns * (side + SPACE), lines * (side + TITLE))
    figure = Figure(figsize=size, layout="none")
    for i, (entry, (line, column)) in enumerate(zip(entries, places, strict=True)):
        pair = [_axes(figure, line, 2 * column + half, side) for half in (0, 1)]
        _pair(pair, stored["films"][i], stored["maps"][i])
        _title(pair[0], entry, int(2 * side * LETTERS_PER_INCH))
        if column == 0:
            pair[0].set_ylabel(f"true {entry['label']}", weight="bold", labelpad=4)
    return figure


def _of_parts(entries: list[dict[str, Any]], films: np.ndarray, maps: np.ndarray) -> Figure:
    """A line a film: the film, then what spoke for the prediction in each part of the answer."""
    parts = list(dict.fromkeys(entry["part"] for entry in entries))
    lines = len(entries) // len(parts)
    side = min(LARGEST, (PAGE - LABEL) / (len(parts) + 1) - SPACE)
    size = (LABEL + (len(parts) + 1) * (side + SPACE), lines * (side + TITLE))
    figure = Figure(figsize=size, layout="none")
    for i, entry in enumerate(entries):
        line, column = divmod(i, len(parts))
        if column == 0:
            film = _axes(figure, line, 0, side)
            film.imshow(films[i], cmap="gray", vmin=0, vmax=255)
            film.set_ylabel(entry["place"], weight="bold", labelpad=4)
        axis = _axes(figure, line, column + 1, side)
        _heat(axis, films[i], maps[i])
        right = entry["label"] == entry["predicted"]
        caption = f"✓ {entry['predicted']} {entry['p_predicted']:.2f}"
        if not right:
            caption = f"✗ {entry['predicted']}, true {entry['label']}"
        _lines(axis, entry["part"].replace("_", " "), caption, int(side * LETTERS_PER_INCH))
    return figure


def _places(labels: list[str]) -> tuple[list[tuple[int, int]], int]:
    """(line, column) of each film, a class starting on a line of its own; how many lines."""
    places: list[tuple[int, int]] = []
    line, column = -1, 0
    for i, label in enumerate(labels):
        new = i == 0 or label != labels[i - 1] or column + 1 == MOST_PAIRS
        line, column = (line + 1, 0) if new else (line, column + 1)
        places.append((line, column))
    return places, line + 1


def _axes(figure: Figure, line: int, column: int, side: float) -> Axes:
    width, height = figure.get_size_inches()
    left = LABEL + column * (side + SPACE) - (SPACE / 2 if column % 2 else 0)
    bottom = height - line * (side + TITLE) - TITLE - side
    axis = figure.add_axes((left / width, bottom / height, side / width, side / height))
    axis.set(xticks=[], yticks=[])
    axis.grid(False)
    axis.spines[:].set_visible(True)
    return axis


def _pair(axes: list[Axes], film: np.ndarray, heat: np.ndarray) -> None:
    axes[0].imshow(film, cmap="gray", vmin=0, vmax=255)
    _heat(axes[1], film, heat)


def _heat(axis: Axes, film: np.ndarray, heat: np.ndarray) -> None:
    axis.imshow(overlay(film, heat))
    # The line shows the place in a grey copy too, where heat and bright tissue look alike.
    if heat.max() >= HALF * 255:
        # Black beneath white: one of them stands out on any film.
        axis.contour(heat / 255, levels=[HALF], colors="black", linewidths=1.6)
        axis.contour(heat / 255, levels=[HALF], colors="white", linewidths=0.7)


def _title(axis: Axes, entry: dict[str, Any], letters: int) -> None:
    right = entry["label"] == entry["predicted"]
    first = entry["place"]
    if not right:
        first += f": true {entry['label']} {entry['p_label']:.2f}"
    second = f"{'✓' if right else '✗'} predicted {entry['predicted']} {entry['p_predicted']:.2f}"
    _lines(axis, first, second, letters)


def _lines(axis: Axes, first: str, second: str, letters: int) -> None:
    """Two lines above a film."""
    for text, points, colour in ((first, 11, GREY), (second, 3, INK)):
        axis.annotate(
            _fitted(text, letters), (0, 1), (0, points), "axes fraction", "offset points",
            color=colour, size=6.5,
        )  # fmt: skip


def _fitted(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: letters - 1] + "…"
