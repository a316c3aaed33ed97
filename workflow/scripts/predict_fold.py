"""Rule predict_fold: a fold's kept weights on its validation part."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.files import read_json
from foldwise.train.machine import set_threads
from foldwise.train.process.lock import forget

with adapter(snakemake):
    files, fold = snakemake.input, int(snakemake.wildcards.fold)
    params = read_json(files.params)
    set_threads(params["training"]["threads"])
    # After set_threads: these import torch.
    from foldwise.train.job import FoldFiles, fold_job
    from foldwise.train.machine import device
    from foldwise.train.predict import predict_fold

    made = snakemake.output
    of_fold = FoldFiles(files.cohort, files.fold, snakemake.params.cache, files.texts)
    job = fold_job(params, of_fold, fold, Path(files.model).parent, device=device())
    predict_fold(job, files.model, made.predictions, made.embeddings, made.maps)
    # Snakemake has seen all files of the training: nothing will go on from its state.
    forget(job.state)
