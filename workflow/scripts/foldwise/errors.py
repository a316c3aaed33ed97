"""The one exception that a user is meant to read."""

import difflib
from collections.abc import Iterable


class FoldwiseError(Exception):
    """Bad input or settings: says what, where, which value, and what to do next.

    An adapter prints the message alone, without a traceback.
    """


def nearest(word: str, names: Iterable[str]) -> str:
    """A hint ` Did you mean 'x'?`, or an empty string when nothing known is near."""
    matches = difflib.get_close_matches(str(word), [str(name) for name in names], n=1, cutoff=0.6)
    return f" Did you mean '{matches[0]}'?" if matches else ""


def choose(word: str, options: Iterable[str], what: str, where: str) -> str:
    """`word` if it is one of `options`, else raise naming the value, the place, the choice."""
    # Sorted: the same message each time, whatever order a set or a dict of names had.
    names = sorted(options)
    if word in names:
        return word
    raise FoldwiseError(
        f"{where}: unknown {what} '{word}'.{nearest(word, names)} "
        f"Choose one of: {', '.join(names)}."
    )


def plural(number: int, unit: str) -> str:
    """`1 patient`, `2 patients`."""
    return f"{number:,} {unit}{'' if number == 1 else 's'}"
