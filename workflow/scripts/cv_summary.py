"""Rule cv_summary: the folds of a run put together, and their logs as one."""

from foldwise.adapter import adapter
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.summary import join_logs, read_fold, summarise
from foldwise.files import read_json, write_json
from foldwise.registry import load

with adapter(snakemake):
    params = read_json(snakemake.input.params)
    numbers = snakemake.params.numbers
    files = zip(
        numbers,
        snakemake.input.metrics,
        snakemake.input.predictions,
        snakemake.input.folds,
        list(snakemake.input.histories) or [None] * len(numbers),
        strict=True,
    )
    summary = summarise(
        folds=[read_fold(*names) for names in files],
        task=load("MEASURES", params["kind"])(params["task"]),
        bootstrap=Bootstrap(params["seed"], snakemake.params.group),
        monitor=params["training"]["monitor"],
    )
    write_json(snakemake.output.summary, summary)
    join_logs(dict(zip(numbers, snakemake.params.logs, strict=True)), snakemake.output.log)
