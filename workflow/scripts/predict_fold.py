"""Rule predict_fold: a fold's kept weights on its validation part."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.files import read_json
from foldwise.train.lock import forget
from foldwise.train.machine import set_threads

with adapter(snakemake):
    files, fold = snakemake.input, int(snakemake.wildcards.fold)
    params = read_json(files.params)
    set_threads(params["training"]["threads"])
    # After set_threads: these import torch.
    from foldwise.train.job import given_fold
    from foldwise.train.machine import device
    from foldwise.train.predict import predict_fold

    cache = snakemake.params.cache
    given = given_fold(params, files.cohort, files.fold, fold, cache, files.texts)
    predict_fold(
        params=params,
        task=given.task,
        images=given.images,
        rows=given.rows["val"],
        model_path=files.model,
        out_csv=snakemake.output.predictions,
        out_npy=snakemake.output.embeddings,
        out_maps=snakemake.output.maps,
        device=device(),
    )
    # Snakemake has seen all files of the training: nothing will go on from its state.
    forget(Path(files.model).parents[1] / "state")
