"""Rule run_cost: size and time of a run's model. Times differ; no result depends on this file."""

from foldwise.adapter import adapter
from foldwise.files import read_json, write_json
from foldwise.train.machine import set_threads

with adapter(snakemake):
    params = read_json(snakemake.input.params)
    set_threads(params["training"]["threads"])
    # After set_threads: these import torch.
    from foldwise.pixels.cache import Images
    from foldwise.registry import load
    from foldwise.train.feed.rows import parts
    from foldwise.train.machine import device
    from foldwise.train.run_cost import model_cost

    files = snakemake.input
    rows = parts(files.cohort, files.fold, 1, files.texts)["val"]
    cost = model_cost(
        params=params,
        task=load("TASKS", params["kind"])(params["task"]),
        images=Images.of(rows, f"results/cache/{snakemake.params.cache}"),
        rows=rows,
        model_path=files.model,
        device=device(),
    )
    write_json(snakemake.output[0], cost)
