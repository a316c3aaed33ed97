"""Rule best_config: the study file that has the best trial's parameters; one without paths too."""

from foldwise.adapter import adapter
from foldwise.files import read_json, write_text
from foldwise.search.chosen import best_config, with_places_left_out
from foldwise.settings.paths import with_paths

with adapter(snakemake):
    name = snakemake.wildcards.study
    settings = with_paths(dict(snakemake.params.study), name, snakemake.config)
    chosen = read_json(snakemake.input[0])
    write_text(snakemake.output.private, best_config(settings, chosen))
    write_text(snakemake.output.shown, best_config(with_places_left_out(settings), chosen))
