"""Rule baseline: a classical method on one fold, to be beaten."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.files import read_json
from foldwise.train.machine import set_threads

with adapter(snakemake):
    set_threads(snakemake.threads)
    # After set_threads: these import torch.
    from foldwise.baselines.run import run_baseline
    from foldwise.train.job import FoldFiles, fold_job

    files, made = snakemake.input, snakemake.output.predictions
    of_fold = FoldFiles(files.cohort, files.fold, snakemake.params.cache, files.texts)
    fold, out = int(snakemake.wildcards.fold), Path(made).parent
    job = fold_job(read_json(files.params), of_fold, fold, out)
    run_baseline(snakemake.wildcards.baseline, job, made)
