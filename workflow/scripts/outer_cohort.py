"""Rule outer_cohort: the cohort inside an outer fold, without the patients that judge it."""

from foldwise.adapter import adapter
from foldwise.files import read_csv, write_csv
from foldwise.search.nested import inside

with adapter(snakemake):
    cohort = read_csv(snakemake.input.cohort)
    rows = inside(cohort, read_csv(snakemake.input.fold))
    write_csv(snakemake.output[0], list(cohort[0]), rows)
