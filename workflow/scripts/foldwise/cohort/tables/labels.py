"""Labels by a stated scheme: what a table's value means is written down, never guessed."""

import re
from dataclasses import dataclass, field
from typing import Any

from foldwise.cohort.tables.table import cell
from foldwise.errors import FoldwiseError
from foldwise.files import is_formula

# Breast density is written as letters or as numbers; in a path table both mean the same.
LETTERS = {"A": "1", "B": "2", "C": "3", "D": "4"}
SAME_AS = LETTERS | {number: letter for letter, number in LETTERS.items()}

CLASS, DROPPED, UNKNOWN, MISSING = "class", "dropped", "unknown", "missing"


def canonical(value: Any) -> str:
    """A label's text: `1`, `"1"`, `" 1 "`, `1.0`, `01` are all "1"; other text is only stripped."""
    text = cell(str(value))
    return str(int(text.split(".")[0])) if re.fullmatch(r"[+-]?\d+(\.0*)?", text) else text


def data_place(column: str) -> str:
    """Where a study's file says how a label column is read."""
    return "data.classes" if column == "label" else f"data.heads.{column.removeprefix('label_')}"


def _check_name(name: str, place: str) -> None:
    """A class's name stands in tables, figures and files that spreadsheets open."""
    if not name.isprintable() or is_formula(name):
        raise FoldwiseError(
            f"{place}: a class cannot be called {name!r}, which breaks a line, or which a "
            f"spreadsheet would run as a formula. Map it to another name in {place}.mapping."
        )


@dataclass(frozen=True)
class Outcome:
    """What a raw value is: its kind, and the class (or the value itself where there is none)."""

    kind: str
    value: str


@dataclass(frozen=True)
class ClassScheme:
    """Raw text to class, order of the classes, values left out on purpose.

    With an empty mapping each class of `order` stands for itself; with an empty order too, every
    value is passed on as it is (tasks whose label is no class). `unknown` is the finding's reason
    for a value that has no place in the scheme, `empty` what a cell left empty beside others means.
    `columns` holds the schemes of label columns that
    have one of their own.
    """

    mapping: dict[str, str] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    drop: frozenset[str] = frozenset()
    letters: bool = False
    unknown: str = "unknown_class"
    empty: str = ""
    columns: dict[str, "ClassScheme"] = field(default_factory=dict)

    @classmethod
    def of(
        cls, classes: dict[str, Any], letters: bool = False, place: str = "data.classes"
    ) -> "ClassScheme":
        """From mapping, order, drop at `place`. Raises FoldwiseError on a contradiction."""
        mapping: dict[str, str] = {}
        for raw, name in (classes.get("mapping") or {}).items():
            class_of = mapping.setdefault(canonical(raw), str(name))
            if class_of != str(name):
                raise FoldwiseError(
                    f"{place}.mapping: '{canonical(raw)}' is given twice, as '{class_of}' and as "
                    f"'{name}'. Keep one."
                )
        order = tuple(str(name) for name in classes.get("order") or ())
        for name in (*order, *mapping.values()):
            _check_name(name, place)
        # By canonical text, since a table's 1.0 and 01 are the class "1".
        mapping = mapping or {canonical(name): name for name in order}
        drop = frozenset(canonical(value) for value in classes.get("drop") or ())
        both = sorted(drop & set(mapping))
        if both:
            raise FoldwiseError(
                f"{place}: '{both[0]}' is both mapped and dropped. Take it out of one of them."
            )
        return cls(mapping, order or tuple(dict.fromkeys(mapping.values())), drop, letters)

    def of_column(self, name: str) -> "ClassScheme":
        """The scheme of one label column."""
        return self.columns.get(name, self)

    def outcome(self, raw: str) -> Outcome:
        """What one raw value means."""
        text = canonical(raw)
        if not text:
            return Outcome(MISSING, "")
        if not self.mapping:
            if is_formula(text) or not text.isprintable():
                return Outcome(UNKNOWN, text)  # it would stand as it is in files that people open
            return Outcome(DROPPED if text in self.drop else CLASS, text)
        # The value as it stands goes first: a study that maps "A" itself is obeyed.
        spellings = [text, SAME_AS.get(text.upper(), text)] if self.letters else [text]
        for spelling in spellings:
            if spelling in self.mapping:
                return Outcome(CLASS, self.mapping[spelling])
            if spelling in self.drop:
                return Outcome(DROPPED, spelling)
        return Outcome(UNKNOWN, text)
