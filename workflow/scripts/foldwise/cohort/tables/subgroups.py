"""Columns of the table by which a model is judged in parts, without what they say of a patient.

A value leaves the table as a band of numbers, as a term of DICOM, as a name that the study's own
file gives it, or as the number of a list that stays in `private/`. A column of more values than a
tenth of the groups may name somebody and is refused. Standard library only.
"""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldwise.cohort.codes import side_of, view_of
from foldwise.cohort.identity import write_private_csv
from foldwise.cohort.tables.table import Table, without_na
from foldwise.files import read_csv, write_csv, write_json

# A column may have one value for so many groups, and two in any case.
GROUPS_A_VALUE = 10
# More numbers than this are a measure, such as age, which is cut into bands; fewer are codes.
MOST_CODES = 6
BANDS = 3
SEXES = {"M": "M", "F": "F", "O": "O", "MALE": "M", "FEMALE": "F"}
OWN = ("view", "side")  # columns of the cohort itself, already in DICOM's terms
# Roles of columns whose values are of one patient, exam or file.
NAMING = ("accession", "image", "mask", "patient", "date")
NUMBER = re.compile(r"([+-]?\d+(?:\.\d+)?)Y?$")  # also an age as DICOM writes it, 057Y
OTHER, EMPTY = "other", ""


@dataclass(frozen=True)
class Coded:
    """A column's values as they may travel, one a sample (empty: not known), or why they may not.

    `levels` in their order; `key`: value that travels -> values of the table, where they differ.
    """

    values: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    key: tuple[tuple[str, str], ...] = ()
    refused: str = ""


def write_subgroups(
    stated: Mapping[str, Sequence[Any]],
    table: Table,
    cohort: Sequence[Mapping[str, str]],
    study: str | Path,
    named: Sequence[str],
) -> None:
    """Write subgroups.csv and subgroups.json (levels, refusals) and private/subgroup_values.csv.

    stated: column -> values or cuts of the study's file. cohort: rows of cohort.csv. `named`:
    columns that name a patient, an exam or a file, or hold a date or a text.
    """
    study, rows = Path(study), {str(row.line): row for row in table.rows}
    lines = {one["sample"]: one["row"].split(" ")[0] for one in _id_map(study)}
    groups, coded, private = [row["group"] for row in cohort], {}, []
    for column, values in stated.items():
        if column in OWN and column not in table.columns:
            raw = [row[column] for row in cohort]
        elif column not in table.columns:
            coded[column] = Coded(refused=f"the table has no such column.{table.listed(column)}")
            continue
        else:
            cells = (rows[lines[row["sample"]]] for row in cohort)
            raw = [without_na(row.get(column)) for row in cells]
        codes = code(raw, groups, values, column in named)
        coded[column] = codes
        private += [{"column": column, "level": a, "value": b} for a, b in codes.key]
    _write(study, cohort, coded)
    write_private_csv(
        study / "private" / "subgroup_values.csv", ["column", "level", "value"], private
    )


def _id_map(study: Path) -> list[dict[str, str]]:
    return read_csv(study / "private" / "id_map.csv")


def _write(study: Path, cohort: Sequence[Mapping[str, str]], coded: Mapping[str, Coded]) -> None:
    kept = {column: one for column, one in coded.items() if not one.refused}
    rows = [
        {"sample": row["sample"]} | {column: one.values[i] for column, one in kept.items()}
        for i, row in enumerate(cohort)
    ]
    write_csv(study / "subgroups.csv", ["sample", *kept], rows)
    columns = [
        {"column": column, "levels": list(one.levels), "refused": one.refused}
        for column, one in coded.items()
    ]
    write_json(study / "subgroups.json", {"columns": columns})


def code(raw: Sequence[str], groups: Sequence[str], stated: Sequence[Any], named: bool) -> Coded:
    """The values `raw` of a column, one a sample, as they may travel."""
    if named:
        return Coded(refused="it names patients, exams or files, or holds dates or texts")
    there = {value for value in raw if value}
    if not there:
        return Coded(refused="no image has a value there")
    if stated and all(NUMBER.fullmatch(str(one)) for one in stated):
        return _banded(raw, sorted(_number(str(one)) for one in stated))
    if stated:
        names = {value: value if value in stated else OTHER for value in there}
        return _named(raw, names, [*map(str, stated), OTHER])
    numbers = [NUMBER.fullmatch(value) for value in there]
    if all(numbers) and len(there) > MOST_CODES:
        return _banded(raw, _thirds(raw))
    several = len(set(groups))
    most = max(several // GROUPS_A_VALUE, 2)
    if len(there) > most:
        return Coded(
            refused=f"it has {len(there)} values among {several} groups, by which somebody could "
            f"be known; {most} would do. Name values or limits in data.columns.subgroups"
        )
    return _numbered(raw, sorted(there))


def _numbered(raw: Sequence[str], there: list[str]) -> Coded:
    """DICOM's terms as they are; others by the number of a private list."""
    terms = {value: view_of(value) or side_of(value) or _sex(value) for value in there}
    if all(terms.values()):
        return _named(raw, terms, sorted(set(terms.values())))
    numbered = {value: f"value {n}" for n, value in enumerate(there, 1)}
    return _named(raw, numbered, list(numbered.values()))


def _sex(value: str) -> str:
    return SEXES.get(value.upper(), "")


def _named(raw: Sequence[str], names: Mapping[str, str], order: Sequence[str]) -> Coded:
    values = tuple(names.get(value, EMPTY) for value in raw)
    key = tuple((name, value) for value, name in sorted(names.items()) if name != value)
    return Coded(values, tuple(one for one in order if one in values), key)


def _thirds(raw: Sequence[str]) -> list[float]:
    """Limits of three bands of about as many images each, at values that occur."""
    numbers = sorted(_number(value) for value in raw if value)
    cuts = {numbers[len(numbers) * k // BANDS] for k in range(1, BANDS)}
    return sorted(cuts - {numbers[0]})


def _banded(raw: Sequence[str], cuts: list[float]) -> Coded:
    """Each number's band: below the first limit, from one to below the next, from the last on."""
    names = [f"below {cuts[0]:g}"] if cuts else ["all"]
    names += [f"{low:g} to below {high:g}" for low, high in itertools.pairwise(cuts)]
    names += [f"{cuts[-1]:g} and above"] if cuts else []
    numbers = [_number(value) if NUMBER.fullmatch(value) else None for value in raw]
    places = [None if one is None else sum(one >= cut for cut in cuts) for one in numbers]
    if not any(place is not None for place in places):
        return Coded(refused="none of its values is a number, for which limits are given")
    values = tuple(EMPTY if place is None else names[place] for place in places)
    return Coded(values, tuple(name for name in names if name in values))


def _number(value: str) -> float:
    return float(NUMBER.fullmatch(value)[1])
