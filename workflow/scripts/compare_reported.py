"""Rule compare_reported: the reported run against others on the same folds."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.evaluate.comparisons import compare_reported
from foldwise.files import read_json
from foldwise.registry import load

with adapter(snakemake):
    params, study = read_json(snakemake.input.params), Path("results", snakemake.wildcards.study)
    compare_reported(
        params=params,
        task=load("MEASURES", params["kind"])(params["task"]),
        runs=study / "runs",
        others=snakemake.params.others,
        folds=study / "folds",
        numbers=snakemake.params.numbers,
        out=snakemake.output[0],
        group_by=snakemake.params.group,
    )
