"""Rule gradcam_fold: where a fold's model looks, on films a reader cares about."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.files import read_csv, read_json
from foldwise.train.machine import set_threads

with adapter(snakemake):
    set_threads(snakemake.threads)
    # After set_threads: these import torch.
    from foldwise.report.cam.gradcam import gradcam_fold
    from foldwise.train.job import FoldFiles, fold_job

    files, fold = snakemake.input, int(snakemake.wildcards.fold)
    params, folder = read_json(files.params), Path(snakemake.output.films).parent
    of_fold = FoldFiles(files.cohort, files.fold, snakemake.params.cache)
    # Films of an earlier model have other names and would stay.
    for film in folder.glob("*.png"):
        film.unlink()
    per_class = snakemake.params.films["report.gradcam_per_class"]
    job = fold_job(params, of_fold, fold, folder, ("val",))
    gradcam_fold(job, read_csv(files.predictions), files.model, per_class)
