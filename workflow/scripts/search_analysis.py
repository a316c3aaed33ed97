"""Rule search_analysis: figures and documents of a search, from its trial files."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.files import read_json
from foldwise.search.analysis.trials import of_search
from foldwise.search.analysis.write import write_analysis
from foldwise.search.plan import search_from_params
from foldwise.search.trials import read_all, read_histories
from foldwise.settings.changes import dotted

with adapter(snakemake):
    study, params = snakemake.wildcards.study, snakemake.params.search
    search, runs = search_from_params(params), Path("results", study, "runs")
    trials = read_all(runs, search)
    histories = read_histories(runs, trials, search.folds)
    searched = of_search(study, search, trials, histories, dotted(params["base"]))
    benchmarks = Path("results", study, "benchmarks").glob("trial_*/train_trial/*.tsv")
    folder = Path(snakemake.output.documents[0]).parent
    write_analysis(folder, searched, read_json(snakemake.input.gradients), sorted(benchmarks))
