"""Rule teach_crossed: answers of two teachers, each on the half of a fold it did not see."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.files import read_json
from foldwise.train.machine import set_threads
from foldwise.train.process.stop import Stop

with adapter(snakemake):
    stop = Stop().listen()
    files, fold = snakemake.input, int(snakemake.wildcards.fold)
    params = read_json(files.params)
    set_threads(params["training"]["threads"])
    # After set_threads: these import torch.
    from foldwise.train.job import FoldFiles, fold_job
    from foldwise.train.machine import device
    from foldwise.train.teaching.crossed import teach_crossed

    of_fold = FoldFiles(files.cohort, files.fold, snakemake.params.cache, files.texts)
    out, code = Path(snakemake.output[0]).parent, snakemake.params.code
    job = fold_job(params, of_fold, fold, out, device=device(), stop=stop, code=code)
    teach_crossed(job, snakemake.output[0])
