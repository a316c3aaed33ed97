"""Rule baseline_holdout: a classical method fitted to all folds, on images that none has."""

from foldwise.adapter import adapter
from foldwise.files import read_json
from foldwise.train.machine import set_threads

with adapter(snakemake):
    set_threads(snakemake.threads)
    # After set_threads: these import torch.
    from pathlib import Path

    from foldwise.baselines.run import run_on_holdout
    from foldwise.train.job import FoldFiles, fold_job

    files, made = snakemake.input, snakemake.output
    of_fold = FoldFiles(files.cohort, files.fold, snakemake.params.cache, files.texts)
    used = ("train", "val", "holdout")
    job = fold_job(read_json(files.params), of_fold, 1, Path(made.predictions).parent, used)
    run_on_holdout(snakemake.wildcards.baseline, job, made.predictions, made.folds)
