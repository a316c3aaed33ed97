"""Rule name_suspects: label suspects by file, accession and row, for the reader who decides."""

from foldwise.adapter import adapter
from foldwise.cohort.identity import write_private_csv
from foldwise.files import read_csv
from foldwise.reliability.suspects import PRIVATE, private_rows

with adapter(snakemake):
    listed = read_csv(snakemake.input.listed)
    named = private_rows(listed, read_csv(snakemake.input.id_map))
    write_private_csv(snakemake.output[0], PRIVATE, named)
