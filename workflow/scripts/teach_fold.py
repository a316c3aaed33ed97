"""Rule teach_fold: a teacher's answers on the training part of its own fold."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.files import read_json
from foldwise.train.machine import set_threads

with adapter(snakemake):
    files, fold = snakemake.input, int(snakemake.wildcards.fold)
    params = read_json(files.params)
    set_threads(params["training"]["threads"])
    # After set_threads: these import torch.
    from foldwise.train.job import FoldFiles, fold_job
    from foldwise.train.machine import device
    from foldwise.train.teaching.teach import teach_fold

    of_fold = FoldFiles(files.cohort, files.fold, snakemake.params.cache, files.texts)
    job = fold_job(params, of_fold, fold, Path(files.model).parent, device=device())
    teach_fold(job, files.model, snakemake.output[0])
