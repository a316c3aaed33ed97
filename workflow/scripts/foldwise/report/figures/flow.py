"""Cohort flow: from the archive to the analysed set, what was left out at each step and why."""

import textwrap
from dataclasses import dataclass, field
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from foldwise.errors import plural
from foldwise.files import read_json
from foldwise.report.inputs import Paths
from foldwise.report.style import ACCENT, GREY, INK, PAGE
from foldwise.settings.groups import unit_of

# Inches: width of the boxes on the main line and beside it, height of a line of text, gaps.
MAIN, SIDE, LINE, PAD, GAP = 3.0, 3.3, 0.155, 0.11, 0.3
LETTERS = 52
HEADINGS = {"quarantine": "Quarantine", "left out": "Left out"}
UNMATCHED = HEADINGS | {"note": "Said twice"}


@dataclass
class Stage:
    """A box on the main line, and the lines of the box beside the arrow that leaves it."""

    lines: list[str]
    aside: list[str] = field(default_factory=list)
    strong: bool = False


def draw(paths: Paths) -> Figure:
    """Boxes from top to bottom; beside each arrow what does not go on."""
    stages = stages_of(read_json(paths["manifest"][0]))
    height = sum(_height(s.lines) + _gap(s) for s in stages) - _gap(stages[-1])
    width = PAGE if any(stage.aside for stage in stages) else MAIN + 0.1
    # Places are in inches here: a layout engine would move them.
    figure = Figure(figsize=(width, height + 0.1), layout="none")
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set(xlim=(0, width), ylim=(0, height + 0.1))
    axis.set_axis_off()
    top = height + 0.05
    for number, stage in enumerate(stages):
        _box(axis, 0.05, top, MAIN, stage.lines, strong=stage.strong)
        bottom = top - _height(stage.lines)
        top = bottom - _gap(stage)
        if number + 1 < len(stages):
            _arrow(axis, (0.05 + MAIN / 2, bottom), (0.05 + MAIN / 2, top))
        if stage.aside:
            middle = (bottom + top) / 2
            _arrow(axis, (0.05 + MAIN / 2, middle), (MAIN + 0.55, middle))
            _box(axis, MAIN + 0.55, middle + _height(stage.aside) / 2, SIDE, stage.aside)
    return figure


def stages_of(manifest: dict[str, Any]) -> list[Stage]:
    """Boxes of data_manifest.json: each step that keeps images, with what the next ones remove."""
    archive, rows = manifest["archive"], manifest["table_rows"]
    first = plural(archive["files"], "file")
    first += f" in {plural(archive['folders'], 'folder')}" if archive["folders"] else ""
    unmatched = [(one["kind"], one["count"], one["description"]) for one in manifest["unmatched"]]
    stages = [
        Stage(["Archive and table", first, plural(rows, "table row")], _aside(unmatched, UNMATCHED))
    ]
    taken: list[dict[str, Any]] = []
    for step in manifest["flow"]:
        # A removal of no images is -0, which is not below 0: its kind tells it.
        if step["images"] < 0 or "kind" in step:
            taken.append(step)
            continue
        gone = [(one["kind"], -one["images"], one["step"]) for one in taken]
        stages[-1].aside += _aside(gone, HEADINGS)
        text = step["step"]
        stages.append(Stage([text[0].upper() + text[1:], plural(step["images"], "image")]))
        taken = []
    stages[-1].lines = _analysed(manifest)
    stages[-1].strong = True
    return stages


def _analysed(manifest: dict[str, Any]) -> list[str]:
    groups = plural(manifest["groups"], unit_of(manifest["group_by"]))
    groups += " (grouped by accession)" if manifest["group_by"] == "accession" else ""
    classes = manifest["classes"]
    counts = [f"{name}: {classes[name]['images']:,}" for name in manifest["class_order"]]
    lines = ["Analysed set", f"{plural(manifest['images'], 'image')} of {groups}"]
    return lines + textwrap.wrap("   ".join(counts), 44, break_on_hyphens=False)


def _aside(taken: list[tuple[str, int, str]], headings: dict[str, str]) -> list[str]:
    """Lines such as "Left out: 12" and, indented, its reasons with their counts."""
    lines = []
    for kind, heading in headings.items():
        steps = [(count, text) for own, count, text in taken if own == kind]
        if steps:
            lines.append(f"{heading}: {sum(count for count, _ in steps):,}")
        for count, text in steps:
            line = f"{count:,}  {text}"
            lines += textwrap.wrap(line, LETTERS, initial_indent="  ", subsequent_indent="      ")
    return lines


def _height(lines: list[str]) -> float:
    return len(lines) * LINE + 2 * PAD


def _gap(stage: Stage) -> float:
    return max(GAP, _height(stage.aside) + 0.16) if stage.aside else GAP


def _box(
    axis: Axes, x: float, top: float, width: float, lines: list[str], strong: bool = False
) -> None:
    height = _height(lines)
    face, edge = ("#e8f1f4", ACCENT) if strong else ("white", GREY)
    shape = "round,pad=0,rounding_size=0.05"
    line = 1.1 if strong else 0.7
    axis.add_patch(
        FancyBboxPatch(
            (x, top - height), width, height, boxstyle=shape, facecolor=face, edgecolor=edge,
            linewidth=line,
        )
    )  # fmt: skip
    for i, text in enumerate(lines):
        heading = i == 0 or (not text.startswith(" ") and ":" in text and not strong)
        axis.text(
            x + 0.12, top - PAD - (i + 0.5) * LINE, text, va="center", size=7.5, color=INK,
            weight="bold" if heading else "normal",
        )  # fmt: skip


def _arrow(axis: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    style = {"arrowstyle": "-|>", "color": GREY, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
    axis.annotate("", end, start, arrowprops=style)
