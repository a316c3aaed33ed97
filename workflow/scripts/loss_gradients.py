"""Rule loss_gradients: the losses of a search on the predictions of its best trial."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.files import read_json, write_json
from foldwise.search.plan import search_from_params
from foldwise.search.ranking import best
from foldwise.search.trials import read_all, trial_name
from foldwise.train.machine import set_threads

with adapter(snakemake):
    files, study = snakemake.input, snakemake.wildcards.study
    search, runs = search_from_params(snakemake.params.search), Path("results", study, "runs")
    set_threads(snakemake.params.search["base"]["training"]["threads"])
    # After set_threads: these import torch.
    from foldwise.search.analysis.measure import loss_params, measure
    from foldwise.train.job import FoldFiles, fold_job
    from foldwise.train.machine import device, make_deterministic

    trials = read_all(runs, search)
    run, fold = runs / trial_name(best(trials, search).suggestion.number), search.folds[0]
    of_fold = FoldFiles(
        files.cohort,
        Path("results", study, "folds", f"fold_{fold}.csv"),
        snakemake.params.cache,
        files.texts,
    )
    out = run / f"fold_{fold}" / "results"
    job = fold_job(read_json(run / "params.json"), of_fold, fold, out, device=device())
    make_deterministic(job.device)
    losses = loss_params(search, trials, runs)
    write_json(snakemake.output[0], measure(job, losses, out / "best_model.pt"))
