"""Rule run_params: the settings of a named run, resolved."""

from foldwise.adapter import adapter
from foldwise.files import write_json

with adapter(snakemake):
    write_json(snakemake.output[0], dict(snakemake.params.settings))
