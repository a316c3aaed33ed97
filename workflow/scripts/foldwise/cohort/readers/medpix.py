"""Teaching cases of the MedPix kind: pictures named without ending, cases joined beforehand."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from foldwise.cohort.archive import Listing
from foldwise.cohort.findings import QUARANTINE, Finding
from foldwise.cohort.identity import Names
from foldwise.cohort.readers import text
from foldwise.cohort.readers.base import Columns, Joined
from foldwise.cohort.tables.json_lines import CASE
from foldwise.cohort.tables.naming import by_name, several, with_paths
from foldwise.cohort.tables.table import Table


class Reader(text.Reader):
    """Reads `data_<split>.jsonl` with `descriptions_<split>.jsonl` (table format `medpix`).

    A picture is found by its name anywhere below the archive's root; one whose `U_id` no case has,
    or whose name several files bear, is a finding.
    """

    usual: ClassVar[Columns] = Columns(
        image="image",
        patient="U_id",
        heads={"modality": "Type", "location": "Location Category"},
    )

    def rows(
        self, table: Table, listing: Listing, layout: str, stated: Columns, names: Names
    ) -> Joined:
        """As the reader of tables, without the pictures of cases that are not there."""
        called = by_name(path for path in listing.files if self.accepts(Path(path)))
        table = with_paths(table, stated.image or str(self.usual.image), called)
        joined = self._of_cases(table, listing, layout, stated, names)
        missing = [
            replace(one, reason="several_files") if several(one.identity, called) else one
            for one in joined.missing
        ]
        return replace(joined, missing=missing)

    def _of_cases(
        self, table: Table, listing: Listing, layout: str, stated: Columns, names: Names
    ) -> Joined:
        if CASE not in table.columns:
            return super().rows(table, listing, layout, stated, names)
        unpaired = [row for row in table.rows if not row.get(CASE)]
        whole = replace(table, rows=tuple(row for row in table.rows if row.get(CASE)))
        joined = super().rows(whole, listing, layout, stated, names)
        findings = [
            Finding(
                # By what the row says and not by its line: a reordered table changes no key.
                names.name("row", f"{row.get('U_id')}\0{row.get('image')}"),
                "table",
                QUARANTINE,
                "no_case",
                row=str(row.line),
                accession=row.get("U_id"),
            )
            for row in unpaired
        ]
        return replace(joined, findings=joined.findings + findings)
