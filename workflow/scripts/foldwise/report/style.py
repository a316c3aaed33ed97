"""One look for all figures: print sizes, 300 dpi, legible without colour.

Colours are ordered by luminance and never the only difference: lines also differ in dash and
marker, areas in hatch. Widths are in inches, of a two-column page.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure

from foldwise.files import replacing

# Jobs have no display: any other backend may fail to load on a node.
mpl.use("Agg")

# What journals ask of figures in print.
DPI = 300
# Inches: the width of both columns of a page.
PAGE = 7.2
INK, GREY, FAINT, ACCENT = "#1b1f24", "#6b7280", "#d4d8de", "#0b5c7a"
DASHES = ["-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5))]
MARKERS = ["o", "s", "^", "D", "v", "P", "X", "h"]
HATCHES = ["", "////", "....", "xxxx", "\\\\\\\\", "++++", "oooo", "----"]
# Dark blue to pale green: luminance rises evenly, so the order survives a grey copy.
RAMP = LinearSegmentedColormap.from_list(
    "ramp", ["#14213d", "#1d4e6b", "#2b7f85", "#63ab8a", "#b4d29b"]
)
# White to dark: for shares in a matrix, where little has to look like nothing.
SHARES = LinearSegmentedColormap.from_list(
    "shares", ["#ffffff", "#d3e5e8", "#7fb3be", "#2f7d92", "#10405a"]
)

SETTINGS = {
    "font.family": "DejaVu Sans",
    "font.size": 7.5,
    "axes.titlesize": 8,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 7.5,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e7e9ec",
    "grid.linewidth": 0.5,
    "axes.axisbelow": True,
    "text.color": INK,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 7,
    "legend.handlelength": 2.6,
    "lines.linewidth": 1.3,
    "lines.markersize": 4,
    "hatch.linewidth": 0.5,
    "patch.linewidth": 0.6,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
}


@contextmanager
def look() -> Iterator[None]:
    """Apply the settings to the figures made inside."""
    with mpl.rc_context(SETTINGS):
        yield


def shades(n: int) -> list[str]:
    """n colours of the ramp, dark to light, all dark enough to be seen as a line on white."""
    places = np.linspace(0.05, 0.85, n) if n > 1 else [0.25]
    return [to_hex(RAMP(place)) for place in places]


def line_styles(n: int) -> list[dict[str, Any]]:
    """n keyword sets for lines that differ in colour, dash and marker."""
    return [
        {"color": colour, "linestyle": DASHES[i % len(DASHES)], "marker": MARKERS[i % len(MARKERS)]}
        for i, colour in enumerate(shades(n))
    ]


def area_styles(n: int) -> list[dict[str, Any]]:
    """n keyword sets for filled areas that differ in colour and hatch."""
    return [
        {"facecolor": colour, "hatch": HATCHES[i % len(HATCHES)], "edgecolor": "white"}
        for i, colour in enumerate(shades(n))
    ]


def text_on(colour: tuple[float, ...]) -> str:
    """Dark or white text, whichever can be read on an RGB(A) colour (values 0..1).

    Relative luminance of WCAG 2.1; near 0.2 the two contrasts are equal, and white looks crisper.
    """
    channels = np.array(colour[:3])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return INK if linear @ [0.2126, 0.7152, 0.0722] > 0.24 else "white"


def save(figure: Figure, out_png: str | Path, note: str = "") -> None:
    """Write the figure at 300 dpi, whole or not at all, without metadata; `note` stands above."""
    FigureCanvasAgg(figure)
    # Laid out without being drawn, and measured below for the cut: a drawing takes as long again.
    if engine := figure.get_layout_engine():
        engine.execute(figure)
    # What is laid out stays in its place when the picture is cut to what is drawn.
    figure.set_layout_engine("none")
    for legend in figure.legends:
        legend.set_bbox_to_anchor((0, 0, 1, 1), transform=figure.transFigure)
    if note:
        points = 6 / 72 / figure.get_size_inches()[1]
        figure.text(0, 1 + points, note, size=8, weight="bold", color=INK, va="bottom")
    # Letters are measured in whole pixels: at another resolution the cut is another.
    figure.set_dpi(DPI)
    with replacing(out_png) as temporary:
        figure.savefig(
            temporary,
            format="png",
            dpi=DPI,
            metadata={"Software": None},
            # A legend outside the axes and a note above would be cut off.
            bbox_inches=figure.get_tightbbox().padded(0.06),
        )


def grid(n: int, most: int) -> tuple[int, int]:
    """Rows and columns for n panels, at most `most` a row, rows as even as can be."""
    rows = -(-n // most)
    return rows, -(-n // rows)


def number(value: float, form: str) -> str:
    """A number in a format, or a dash where there is none."""
    return "–" if np.isnan(value) else format(value, form)


def shortened(name: str, letters: int) -> str:
    """A name cut to so many letters, which is seen."""
    return name if len(name) <= letters else name[: letters - 1].rstrip() + "…"
