"""Rule nested_params: the settings of the run that an outer fold judges."""

from foldwise.adapter import adapter
from foldwise.files import read_json, write_json
from foldwise.search.chosen import nested_params

with adapter(snakemake):
    run = f"nested_{snakemake.wildcards.outer}"
    chosen = read_json(snakemake.input[0])
    write_json(snakemake.output[0], nested_params(dict(snakemake.params.base), chosen, run))
