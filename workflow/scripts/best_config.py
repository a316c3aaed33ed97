"""Rule best_config: the study file that has the best trial's parameters."""

from foldwise.adapter import adapter
from foldwise.files import read_json, write_text
from foldwise.search.chosen import best_config
from foldwise.settings.paths import with_paths

with adapter(snakemake):
    name = snakemake.wildcards.study
    settings = with_paths(dict(snakemake.params.study), name, snakemake.config)
    write_text(snakemake.output[0], best_config(settings, read_json(snakemake.input[0])))
