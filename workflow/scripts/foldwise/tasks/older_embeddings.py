"""Folders of embeddings whose `metadata.csv` names images by path or accession, not by content.

Which sample that is stands in the study's private list alone, so it is asked where they are joined.
"""

import posixpath
from collections import defaultdict
from pathlib import Path, PureWindowsPath

from foldwise.errors import FoldwiseError
from foldwise.files import read_csv

# Columns as older programs call them, the first that is there.
PATHS = ("image_path", "path", "file", "filename", "file_path", "dicom_path")
ACCESSIONS = ("accession", "AccessionNumber", "accession_number")


def naming_column(where: str, metadata: list[dict[str, str]]) -> str:
    """The column that names images. Raises FoldwiseError where there is none."""
    columns = list(metadata[0]) if metadata else []
    column = next((name for name in (*PATHS, *ACCESSIONS) if name in columns), None)
    if column is None:
        raise FoldwiseError(
            f"model.embeddings: {where} needs a column `content` with the SHA-256 of each image "
            "file (`sha256sum` prints it), or one with its path or accession: "
            f"{', '.join((*PATHS, *ACCESSIONS))}."
        )
    return column


def places_by_name(
    where: str, metadata: list[dict[str, str]], rows: list[dict], id_map: str | Path | None
) -> list[int | None]:
    """Number of the metadata's row of each cohort row, None where there is none.

    A path fits by its end, wherever the archive lay; an accession stands for all its images.
    Raises FoldwiseError as `naming_column`, for a name of two rows, and without the private list.
    """
    column = naming_column(where, metadata)
    if id_map is None or not Path(id_map).is_file():
        raise FoldwiseError(
            f"model.embeddings: {where} names images by {column}, and the study's list of who is "
            f"who ({id_map}) is gone. Run `snakemake --forcerun cohort`: it is made anew."
        )
    named = {row["sample"]: row for row in read_csv(id_map)}
    if column in ACCESSIONS:
        names = [_plain(row[column]) for row in metadata]
        wanted = [_plain(_of(named, row, "accession")) for row in rows]
        return _lookup({name: [n] for n, name in _once(names, where, column)}, wanted, where)
    index: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(metadata):
        for end in _ends(row[column]):
            # By all its ends: where the archive lay when the folder was made is of no matter.
            index[end].append(number)
    wanted = [_posix(_of(named, row, "file")) for row in rows]
    return _lookup(index, wanted, where)


def _of(named: dict[str, dict[str, str]], row: dict, column: str) -> str:
    """What the private list says of a cohort row; "", which fits nothing, where it says nothing."""
    return named[row["sample"]].get(column) or "" if row["sample"] in named else ""


def _once(names: list[str], where: str, column: str) -> list[tuple[int, str]]:
    if len(set(names)) < len(names):
        raise FoldwiseError(
            f"model.embeddings: {where} has several rows of one accession, and {column} does not "
            "say which image each is of. Add a column with the images' paths."
        )
    return list(enumerate(names))


def _lookup(index: dict[str, list[int]], wanted: list[str], where: str) -> list[int | None]:
    several = sum(name in index and len(index[name]) > 1 for name in wanted)
    if several:
        raise FoldwiseError(
            f"model.embeddings: for {several} images several rows of {where} fit. Write the paths "
            "from the archive's folder on."
        )
    return [index[name][0] if name and name in index else None for name in wanted]


def _plain(accession: str) -> str:
    text = accession.strip()
    # Spreadsheets drop leading zeros of accessions, and archives fill them up.
    return text.lstrip("0") or text


def _posix(path: str) -> str:
    return posixpath.normpath(PureWindowsPath(path).as_posix() if "\\" in path else path)


def _ends(path: str) -> list[str]:
    """A path and all its ends: a/b/c, b/c, c."""
    parts = _posix(path).split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]
