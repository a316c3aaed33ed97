"""Rule seed_variance: the reported run with several seeds, and what chance alone does to it."""

from foldwise.adapter import adapter
from foldwise.evaluate.comparisons import Folds
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.seeds import of_seeds
from foldwise.files import read_json, write_json
from foldwise.metrics import monitors
from foldwise.registry import load

with adapter(snakemake):
    params = read_json(snakemake.input.params)
    folds = Folds(snakemake.params.folds, snakemake.params.numbers)
    variance = of_seeds(
        runs={seed: folds.of(run) for seed, run in snakemake.params.runs.items()},
        task=load("MEASURES", params["kind"])(params["task"]),
        bootstrap=Bootstrap(params["seed"], snakemake.params.group),
        metric=params["training"]["monitor"] or next(iter(monitors(params["kind"]))),
    )
    write_json(snakemake.output[0], variance)
