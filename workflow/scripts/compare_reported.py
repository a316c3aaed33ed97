"""Rule compare_reported: the reported run against others on the same folds."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.evaluate.comparisons import Folds, compare_reported
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.files import read_json
from foldwise.registry import load

with adapter(snakemake):
    params, study = read_json(snakemake.input.params), Path("results", snakemake.wildcards.study)
    compare_reported(
        params=params,
        task=load("MEASURES", params["kind"])(params["task"]),
        folds=Folds(study / "folds", snakemake.params.numbers),
        runs={run: study / "runs" / run for run in (params["run"], *snakemake.params.others)},
        bootstrap=Bootstrap(params["seed"], snakemake.params.group),
        out=snakemake.output[0],
    )
