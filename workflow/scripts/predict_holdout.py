"""Rule predict_holdout: the kept weights of all folds on images that none of them has seen."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.files import read_json
from foldwise.train.machine import set_threads

with adapter(snakemake):
    files = snakemake.input
    params = read_json(files.params)
    set_threads(params["training"]["threads"])
    # After set_threads: these import torch.
    from foldwise.train.job import FoldFiles, fold_job
    from foldwise.train.machine import device
    from foldwise.train.predict_holdout import predict_holdout

    made = snakemake.output
    # The holdout is the same part of each fold's file.
    of_fold = FoldFiles(files.cohort, files.fold, snakemake.params.cache, files.texts)
    out = Path(made.predictions).parent
    job = fold_job(params, of_fold, 1, out, ("holdout",), device=device())
    models = dict(zip(snakemake.params.numbers, files.models, strict=True))
    predict_holdout(job, models, made.predictions, made.folds, made.maps)
