"""Rule suggest_trial: the parameters of one trial, from the trials before it."""

from dataclasses import replace
from pathlib import Path

from foldwise.adapter import adapter
from foldwise.files import read_csv, write_json
from foldwise.search.plan import check_batches, failure_limit, search_from_params, trial_params
from foldwise.search.propose.propose import propose
from foldwise.search.trials import check_failures, read_observations, write_trial_file
from foldwise.settings.changes import dotted

with adapter(snakemake):
    number = int(snakemake.wildcards.number)
    study = snakemake.wildcards.study
    search = search_from_params(snakemake.params.search)
    if number == 0:
        parts = [[row["part"] for row in read_csv(path)] for path in snakemake.input]
        settings = dotted(snakemake.params.search["base"])
        smallest = min(part.count("train") for part in parts)
        check_batches(search, settings, smallest, f"{study}: search")
    observations = read_observations(Path(snakemake.output.suggestion).parents[1], number, search)
    limit = failure_limit(study, snakemake.config)
    check_failures(observations, replace(search, max_failed=limit), f"{study}: search")
    suggestion = propose(search, number, observations)
    write_json(snakemake.output.params, trial_params(snakemake.params.search["base"], suggestion))
    write_trial_file(snakemake.output.suggestion, suggestion)
