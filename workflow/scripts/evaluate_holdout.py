"""Rule evaluate_holdout: the holdout's predictions measured, with intervals over groups."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.evaluate.holdout_summary import evaluate_holdout
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.files import read_json
from foldwise.registry import load

with adapter(snakemake):
    params = read_json(snakemake.input.params)
    evaluate_holdout(
        predictions_csv=snakemake.input.predictions,
        folds_csv=snakemake.input.folds,
        task=load("MEASURES", params["kind"])(params["task"]),
        bootstrap=Bootstrap(params["seed"], snakemake.params.group),
        out_dir=Path(snakemake.output.json).parent,
        out_summary=snakemake.output.summary,
    )
