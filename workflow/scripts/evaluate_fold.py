"""Rule evaluate_fold: a fold's predictions measured, in three formats."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.evaluate.fold import evaluate_fold
from foldwise.files import read_json
from foldwise.registry import load

with adapter(snakemake):
    params = read_json(snakemake.input.params)
    evaluate_fold(
        predictions_csv=snakemake.input.predictions,
        task=load("MEASURES", params["kind"])(params["task"]),
        out_dir=Path(snakemake.output.json).parent,
        group_by=snakemake.params.group,
    )
