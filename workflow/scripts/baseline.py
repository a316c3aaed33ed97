"""Rule baseline: a classical method on one fold, to be beaten."""

from foldwise.adapter import adapter
from foldwise.files import read_json
from foldwise.train.machine import set_threads

with adapter(snakemake):
    set_threads(snakemake.threads)
    # After set_threads: these import torch.
    from foldwise.baselines.run import run_baseline
    from foldwise.data.cache import Images
    from foldwise.registry import load
    from foldwise.train.rows import parts

    params = read_json(snakemake.input.params)
    rows = parts(snakemake.input.cohort, snakemake.input.fold, int(snakemake.wildcards.fold))
    run_baseline(
        name=snakemake.wildcards.baseline,
        params=params,
        task=load("TASKS", params["kind"])(params["task"]),
        images=Images.of(rows["train"] + rows["val"], f"results/cache/{snakemake.params.cache}"),
        train_rows=rows["train"],
        val_rows=rows["val"],
        out_csv=snakemake.output.predictions,
    )
