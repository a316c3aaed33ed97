"""Rule gradcam_fold: where a fold's model looks, on films a reader cares about."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.files import read_csv, read_json
from foldwise.train.machine import set_threads

with adapter(snakemake):
    set_threads(snakemake.threads)
    # After set_threads: these import torch.
    from foldwise.pixels.cache import Images
    from foldwise.registry import load
    from foldwise.report.gradcam import gradcam_fold
    from foldwise.train.feed.rows import parts

    params, folder = read_json(snakemake.input.params), Path(snakemake.output.films).parent
    rows = parts(snakemake.input.cohort, snakemake.input.fold, int(snakemake.wildcards.fold))["val"]
    # Films of an earlier model have other names and would stay.
    for film in folder.glob("*.png"):
        film.unlink()
    gradcam_fold(
        params=params,
        task=load("TASKS", params["kind"])(params["task"]),
        images=Images.of(rows, f"results/cache/{snakemake.params.cache}"),
        rows=rows,
        predictions=read_csv(snakemake.input.predictions),
        model_path=snakemake.input.model,
        out_dir=folder,
        per_class=snakemake.params.films["report.gradcam_per_class"],
    )
