"""Rule predict_holdout: the kept weights of all folds on images that none of them has seen."""

from foldwise.adapter import adapter
from foldwise.files import read_json
from foldwise.train.machine import set_threads

with adapter(snakemake):
    params = read_json(snakemake.input.params)
    set_threads(params["training"]["threads"])
    # After set_threads: these import torch.
    from foldwise.data.cache import Images
    from foldwise.holdout import predict_holdout
    from foldwise.registry import load
    from foldwise.train.machine import device
    from foldwise.train.rows import parts

    files, cache = snakemake.input, f"results/cache/{snakemake.params.cache}"
    rows = parts(files.cohort, files.fold, 1, files.texts).get("holdout", [])
    predict_holdout(
        params=params,
        task=load("TASKS", params["kind"])(params["task"]),
        images=Images.of(rows, cache) if rows else None,
        rows=rows,
        models=dict(zip(snakemake.params.numbers, files.models, strict=True)),
        out_csv=snakemake.output.predictions,
        out_folds=snakemake.output.folds,
        out_maps=snakemake.output.maps,
        device=device(),
    )
