"""A figure by its name: the one way from files to a PNG."""

from pathlib import Path

from foldwise.registry import load
from foldwise.report.inputs import Paths
from foldwise.report.style import look, save


def figure(name: str, paths: Paths, out_png: str | Path, note: str = "") -> None:
    """Draw figure `name` (see catalogue.FIGURES) from files by kind; `note` stands above it."""
    draw = load("FIGURES", name)
    with look():
        save(draw(paths), out_png, note)
