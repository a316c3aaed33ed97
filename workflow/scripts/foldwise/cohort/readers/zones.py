"""Films with a score for each zone: PNG, JPEG or two-dimensional NIfTI, and a table of scores.

A score is 0 to 3; 4 is "unknown", and so is an empty cell in a row that scores any zone. A row
that scores none is taken for one that nobody has read yet.
"""

from dataclasses import replace
from pathlib import Path

from foldwise.cohort.archive import Listing
from foldwise.cohort.identity import Names
from foldwise.cohort.join import by_path, columns_of_roles
from foldwise.cohort.readers.base import Columns, Joined, Matched, Missing
from foldwise.cohort.readers.images import Reader as Images
from foldwise.cohort.tables.labels import ClassScheme, canonical
from foldwise.cohort.tables.naming import by_name, several, with_paths
from foldwise.cohort.tables.table import Row, Table
from foldwise.errors import FoldwiseError
from foldwise.pixels.nifti import is_nifti

SCORES, UNKNOWN = ("0", "1", "2", "3"), "4"
USUAL = {
    "image": ("FileID", "image", "image_path"),
    "patient": ("PatientID", "patient_id"),
    "accession": ("AccessionNumber", "accession"),
    "view": ("view",),
}
SCHEME = ClassScheme(
    {value: value for value in (*SCORES, UNKNOWN)}, unknown="score_out_of_range", empty=UNKNOWN
)
PATTERN, TOTAL = "unknown_zones", "total_score"


class Reader(Images):
    """Reads films with zone scores. The table's cell is a path below the root, or a bare name."""

    kind = "zones 1"

    def accepts(self, path: Path) -> bool:
        """By the file's ending."""
        return is_nifti(path) or super().accepts(path)

    def rows(
        self, table: Table, listing: Listing, layout: str, stated: Columns, names: Names
    ) -> Joined:
        """Join by image file. Raises FoldwiseError for another layout or a column not there."""
        if layout != "paths":
            raise FoldwiseError(
                f"data.table.format: '{layout}' has no place for zones. Set it to paths: a row an "
                "image file, a column each zone."
            )
        columns = columns_of_roles(table, stated, USUAL)
        zones = tuple(columns.zones)
        table.need({f"zones, number {n}": zone for n, zone in enumerate(zones, 1)})
        files = by_name(path for path in listing.files if self.accepts(Path(path)))
        resolved = with_paths(table, str(columns.image), files)
        joined = by_path(resolved, listing, columns, names)
        return replace(
            joined,
            matched=[_scored(one, columns, table) for one in joined.matched],
            missing=[_with_labels(one, zones, files) for one in joined.missing],
            label_columns=zones,
            extra_columns=(PATTERN, TOTAL),
            scheme=SCHEME,
        )


def _scored(one: Matched, columns: Columns, table: Table) -> Matched:
    labels = tuple(labels_of(row, columns.zones) for row in one.rows)
    lines = {row.line: row for row in table.rows}
    # The cell as it was typed: exclusions and splits name images as the table does.
    named = one.accession or lines[one.rows[0].line].get(columns.image)
    return replace(one, labels=labels, accession=named, extra=strata_of(labels[0]))


def _with_labels(one: Missing, zones: tuple[str, ...], files: dict[str, list[str]]) -> Missing:
    labels = tuple(labels_of(row, zones) for row in one.rows)
    reason = "several_files" if several(one.identity, files) else one.reason
    return replace(one, labels=labels, reason=reason)


def labels_of(row: Row, zones: tuple[str, ...]) -> dict[str, str]:
    """Zone -> score as text; empty is "unknown", unless all are."""
    scores = {zone: row.get(zone) for zone in zones}
    scored = any(scores.values())
    return {zone: score or (UNKNOWN if scored else "") for zone, score in scores.items()}


def strata_of(labels: dict[str, str]) -> dict[str, str]:
    """What folds may be kept equal in: which zones are unknown, and the sum of the known scores."""
    scores = {zone: canonical(score) for zone, score in labels.items()}
    unknown = [zone for zone, score in scores.items() if score == UNKNOWN]
    total = sum(int(score) for score in scores.values() if score in SCORES)
    return {PATTERN: "+".join(unknown) or "none", TOTAL: str(total)}
