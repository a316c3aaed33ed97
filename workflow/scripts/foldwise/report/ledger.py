"""Numbers with a birth certificate: each knows the file, the key and the job it came from."""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldwise.files import read_csv, read_json
from foldwise.hashing import file_digest

Key = str | int
# Characters with a meaning in Markdown, so that a class named `<=B|C` stays as it is.
SPECIAL = re.compile(r"([\\`*_{}\[\]<>|])")


def escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    return SPECIAL.sub(r"\\\1", text)


def _attribute(text: str) -> str:
    """Text in an attribute of HTML within Markdown, where a bar would end the table's cell."""
    return html.escape(text).replace("|", "&#124;")


@dataclass(frozen=True)
class Number:
    """A value of a file as it is shown. In HTML it says on hovering where it comes from."""

    file: str
    key: str
    value: Any
    shown: str
    job: str

    def __str__(self) -> str:
        return escaped(self.shown)

    def __html__(self) -> str:
        origin = _attribute(f"{self.key} in {self.file}, made by {self.job}")
        exact = _attribute("" if self.value is None else str(self.value))
        return f'<data value="{exact}" title="{origin}">{escaped(html.escape(self.shown))}</data>'


class Ledger:
    """Reads numbers from files and notes each: what a report shows is looked up, never typed."""

    def __init__(self) -> None:
        self.numbers: list[Number] = []
        self._files: dict[str, Any] = {}
        self._jobs: dict[str, str] = {}

    def content(self, path: str | Path) -> Any:
        """Content of a JSON file, or rows of a CSV file; read once."""
        name = str(path)
        if name not in self._files:
            self._files[name] = read_csv(path) if name.endswith(".csv") else read_json(path)
        return self._files[name]

    def source(self, path: str | Path, job: str) -> "Source":
        """The numbers of one file, which was made by `job` (rule and wildcards)."""
        self._jobs[str(path)] = job
        return Source(self, str(path), job)

    def note(self, number: Number) -> Number:
        """Keep a number that is shown."""
        self.numbers.append(number)
        return number

    def as_json(self) -> dict[str, Any]:
        """`files`: path -> digest and job; `numbers`: file, key, exact value, text shown, job."""
        read = sorted({number.file for number in self.numbers})
        entries = [
            {"file": n.file, "key": n.key, "value": n.value, "shown": n.shown, "job": n.job}
            for n in {(n.file, n.key, n.shown): n for n in self.numbers}.values()
        ]
        files = {path: {"sha256": file_digest(path), "job": self._jobs[path]} for path in read}
        return {"files": files, "numbers": entries}


@dataclass(frozen=True)
class Source:
    """One file of a ledger."""

    ledger: Ledger
    file: str
    job: str

    def value(self, *keys: Key) -> Any:
        """The value at a path of keys, for decisions; None where there is none. Not noted."""
        found = self.ledger.content(self.file)
        for key in keys:
            if isinstance(found, dict):
                found = found.get(key)
            elif isinstance(found, list) and isinstance(key, int) and key < len(found):
                found = found[key]
            else:
                return None
        return found

    def __call__(self, *keys: Key, form: str | Callable[[Any], str] = str) -> Number:
        """The number at a path of keys, shown by a format or a function; `–` where undefined."""
        value = self.value(*keys)
        if value is None or value == "":
            shown = "–"
        elif isinstance(value, list):
            shown = ", ".join(map(str, value)) or "none"
        else:
            shown = format(value, form) if isinstance(form, str) else form(value)
        name = ".".join(str(key) for key in keys)
        return self.ledger.note(Number(self.file, name, value, shown, self.job))

    def interval(
        self, *keys: Key, form: str = ".3f", sides: tuple[Key, Key] = (0, 1)
    ) -> list[Number]:
        """The two bounds `sides` at a path of keys; empty where there is no interval."""
        if None in (self.value(*keys, side) for side in sides):
            return []
        return [self(*keys, side, form=form) for side in sides]
