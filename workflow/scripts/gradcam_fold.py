"""Rule gradcam_fold: where a fold's model looks, on films a reader cares about."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.files import read_csv, read_json
from foldwise.train.machine import set_threads

with adapter(snakemake):
    set_threads(snakemake.threads)
    # After set_threads: these import torch.
    from foldwise.report.gradcam import gradcam_fold
    from foldwise.train.job import given_fold

    files, folder = snakemake.input, Path(snakemake.output.films).parent
    params, fold = read_json(files.params), int(snakemake.wildcards.fold)
    cache = snakemake.params.cache
    # Films of an earlier model have other names and would stay.
    for film in folder.glob("*.png"):
        film.unlink()
    gradcam_fold(
        params=params,
        given=given_fold(params, files.cohort, files.fold, fold, cache, used=("val",)),
        predictions=read_csv(files.predictions),
        model_path=files.model,
        out_dir=folder,
        per_class=snakemake.params.films["report.gradcam_per_class"],
    )
