"""Rule nested_summary: the outer folds together, beside what the inner searches promised."""

from foldwise.adapter import adapter
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.optimism import measured_against_promised
from foldwise.evaluate.summary import read_fold, summarise
from foldwise.files import read_json, write_json
from foldwise.registry import load

with adapter(snakemake):
    params = read_json(snakemake.input.params)
    files = snakemake.input
    folds = [
        read_fold(*names)
        for names in zip(
            snakemake.params.numbers,
            files.metrics,
            files.predictions,
            files.folds,
            files.histories,
            strict=True,
        )
    ]
    task = load("MEASURES", params["kind"])(params["task"])
    summary = summarise(folds, task, Bootstrap(params["seed"], snakemake.params.group))
    chosen = [read_json(path) for path in files.choices]
    summary["search"] = measured_against_promised(folds, chosen, *snakemake.params.objective)
    write_json(snakemake.output[0], summary)
