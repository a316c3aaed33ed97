"""Rule site_page: the page of a validation."""

from foldwise.adapter import adapter
from foldwise.bundle.page.build import write_page

with adapter(snakemake):
    files = snakemake.input
    write_page(files.summary, files.audit, snakemake.output.page)
