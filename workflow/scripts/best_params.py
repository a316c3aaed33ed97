"""Rule best_params: the parameters of the best trial."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.files import write_json
from foldwise.search.chosen import best_params
from foldwise.search.plan import search_from_params
from foldwise.search.ranking import best
from foldwise.search.trials import read_all

with adapter(snakemake):
    study = snakemake.wildcards.study
    search = search_from_params(snakemake.params.search)
    trials = read_all(Path("results", study, "runs"), search)
    chosen = best(trials, search, f"{study}: search")
    write_json(snakemake.output.params, best_params(study, search, trials))
    write_json(snakemake.output.plain, dict(chosen.suggestion.params))
