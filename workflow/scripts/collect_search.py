"""Rule collect_search: database, tables, summary and pages of a search, from its trial files."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.files import write_text
from foldwise.search.plan import search_from_params
from foldwise.search.plots import write_pages
from foldwise.search.results import in_short, write_results, write_trial_histories
from foldwise.search.storage import write_database
from foldwise.search.trials import read_all, read_histories

with adapter(snakemake):
    study = snakemake.wildcards.study
    search = search_from_params(snakemake.params.search)
    runs = Path("results", study, "runs")
    trials = read_all(runs, search)
    folder = Path(snakemake.output.database).parent
    write_database(snakemake.output.database, study, search, trials)
    write_results(folder, study, search, trials)
    write_trial_histories(snakemake.output.histories, read_histories(runs, trials, search.folds))
    write_pages(folder / "plots", study, search, trials)
    write_text(snakemake.output.short, in_short(study, search, trials))
