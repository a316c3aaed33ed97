"""Rule predict_fold: a fold's kept weights on its validation part."""

from foldwise.adapter import adapter
from foldwise.files import read_json
from foldwise.train.machine import set_threads

with adapter(snakemake):
    params = read_json(snakemake.input.params)
    set_threads(params["training"]["threads"])
    # After set_threads: these import torch.
    from foldwise.data.cache import Images
    from foldwise.predict import predict_fold
    from foldwise.registry import load
    from foldwise.train.machine import device
    from foldwise.train.rows import parts

    files, fold = snakemake.input, int(snakemake.wildcards.fold)
    rows = parts(files.cohort, files.fold, fold, files.texts)["val"]
    predict_fold(
        params=params,
        task=load("TASKS", params["kind"])(params["task"]),
        images=Images.of(rows, f"results/cache/{snakemake.params.cache}"),
        rows=rows,
        model_path=snakemake.input.model,
        out_csv=snakemake.output.predictions,
        out_npy=snakemake.output.embeddings,
        out_maps=snakemake.output.maps,
        device=device(),
    )
