"""Markdown tables and numbers of the documents of an analysis."""

from collections.abc import Iterable, Sequence
from typing import Any


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table; a bar inside a cell is escaped."""
    lines = [list(head), ["---"] * len(head), *map(list, rows)]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(value: Any) -> str:
    return number(value).replace("|", "\\|")


def number(value: Any) -> str:
    """A float at four decimals where it is of that size, else at three digits; a dash for None."""
    if value is None:
        return "-"
    if not isinstance(value, float):
        return str(value)
    if value and abs(value) < 1e-3:
        return f"{value:.3g}"
    return f"{value:.4f}" if abs(value) < 100 else f"{value:,.0f}"


def setting(value: Any) -> str:
    """A value of a setting, as a study file would have it; words as code."""
    if isinstance(value, float):
        return f"{value:g}"
    return code(value) if isinstance(value, str) else str(value)


def code(name: str) -> str:
    """A name of a key, a file or a run, as Markdown sets it."""
    return f"`{name}`"


def share(part: int, whole: int) -> str:
    """`3 (25 %)`."""
    return f"{part} ({part / whole:.0%})" if whole else str(part)


def document(title: str, sections: Iterable[tuple[str, str]]) -> str:
    """A document; sections without text are left out."""
    parts = [f"# {title}", *(f"## {name}\n\n{text}" for name, text in sections if text)]
    return "\n\n".join(parts) + "\n"
