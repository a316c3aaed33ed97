"""Rule run_cost: size and time of a run's model. Times differ; no result depends on this file."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.files import read_json, write_json
from foldwise.train.machine import set_threads

with adapter(snakemake):
    params = read_json(snakemake.input.params)
    set_threads(params["training"]["threads"])
    # After set_threads: these import torch.
    from foldwise.train.job import FoldFiles, fold_job
    from foldwise.train.machine import device
    from foldwise.train.run_cost import model_cost

    files = snakemake.input
    of_fold = FoldFiles(files.cohort, files.fold, snakemake.params.cache, files.texts)
    job = fold_job(params, of_fold, 1, Path(files.model).parent, ("val",), device=device())
    write_json(snakemake.output[0], model_cost(job, files.model))
