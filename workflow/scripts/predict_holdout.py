"""Rule predict_holdout: the kept weights of all folds on images that none of them has seen."""

from foldwise.adapter import adapter
from foldwise.files import read_json
from foldwise.train.machine import set_threads

with adapter(snakemake):
    files = snakemake.input
    params = read_json(files.params)
    set_threads(params["training"]["threads"])
    # After set_threads: these import torch.
    from foldwise.train.job import given_fold
    from foldwise.train.machine import device
    from foldwise.train.predict_holdout import predict_holdout

    cache, used = snakemake.params.cache, ("holdout",)
    given = given_fold(params, files.cohort, files.fold, 1, cache, files.texts, used)
    predict_holdout(
        params=params,
        task=given.task,
        images=given.images,
        rows=given.rows.get("holdout", []),
        models=dict(zip(snakemake.params.numbers, files.models, strict=True)),
        out_csv=snakemake.output.predictions,
        out_folds=snakemake.output.folds,
        out_maps=snakemake.output.maps,
        device=device(),
    )
