"""Whether a figure can be read: no label lies on another."""

import itertools

from matplotlib.text import Text

from foldwise.report import style
from foldwise.report.draw import figure


def assert_labels_lie_apart(name, paths, folder, monkeypatch, line=""):
    """Draw the figure into `folder` at a third of its resolution, and look where each text is."""
    boxes = {}

    def note(text, renderer):
        if text.get_visible() and text.get_text().strip():
            boxes[text] = text.get_window_extent(renderer)

    # Asked while drawing: only then is it known which tick labels are drawn, and where.
    monkeypatch.setattr(Text, "draw", note)
    monkeypatch.setattr(style, "DPI", 100)
    figure(name, paths, folder / "a.png", line)
    assert len(boxes) > 5
    for (first, a), (second, b) in itertools.combinations(boxes.items(), 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        up = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across < 1 or up < 1, f"{first.get_text()!r} and {second.get_text()!r}"
