"""Rule teach_fold: a teacher's answers on the training part of its own fold."""

from foldwise.adapter import adapter
from foldwise.files import read_json
from foldwise.train.machine import set_threads

with adapter(snakemake):
    files, fold = snakemake.input, int(snakemake.wildcards.fold)
    params = read_json(files.params)
    set_threads(params["training"]["threads"])
    # After set_threads: these import torch.
    from foldwise.train.job import given_fold
    from foldwise.train.machine import device
    from foldwise.train.teach import teach_fold

    cache = snakemake.params.cache
    given = given_fold(params, files.cohort, files.fold, fold, cache, files.texts)
    teach_fold(
        params=params,
        task=given.task,
        images=given.images,
        rows=given.rows["train"],
        model_path=files.model,
        out=snakemake.output[0],
        device=device(),
    )
