"""Rule baseline: a classical method on one fold, to be beaten."""

from foldwise.adapter import adapter
from foldwise.files import read_json
from foldwise.train.machine import set_threads

with adapter(snakemake):
    set_threads(snakemake.threads)
    # After set_threads: these import torch.
    from foldwise.baselines.run import run_baseline
    from foldwise.train.job import given_fold

    files, fold = snakemake.input, int(snakemake.wildcards.fold)
    params = read_json(files.params)
    given = given_fold(params, files.cohort, files.fold, fold, snakemake.params.cache)
    run_baseline(
        name=snakemake.wildcards.baseline,
        params=params,
        task=given.task,
        images=given.images,
        train_rows=given.rows["train"],
        val_rows=given.rows["val"],
        out_csv=snakemake.output.predictions,
    )
