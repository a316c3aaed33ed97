"""Rule subgroup_values: the columns by which a model is judged in parts, banded or numbered."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.cohort.tables.subgroups import NAMING, write_subgroups
from foldwise.cohort.tables.table import Table, TableSettings, read_table
from foldwise.files import read_csv
from foldwise.settings.paths import with_paths

with adapter(snakemake):
    name, files = snakemake.wildcards.study, snakemake.input
    data = with_paths(snakemake.params.data, name, snakemake.config)["data"]
    columns, folders = data["columns"], data["table"]["format"] == "folders"
    write_subgroups(
        stated=columns["subgroups"],
        # A table of folders has no column but those of its files.
        table=Table("", (), ()) if folders else read_table(TableSettings(**data["table"])),
        cohort=read_csv(files.cohort),
        study=Path(files.cohort).parent,
        named=[*(columns[role] for role in NAMING if columns[role]), *columns["texts"]],
    )
