"""Rule fit_learning_curve: the reported run on smaller training parts, and the curve of these."""

from foldwise.adapter import adapter
from foldwise.evaluate.comparisons import Folds
from foldwise.evaluate.learning_curve import learning_curve, read_size
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.files import read_json, write_json
from foldwise.metrics import monitors
from foldwise.registry import load

with adapter(snakemake):
    params = read_json(snakemake.input.params)
    folds = Folds(snakemake.params.folds, snakemake.params.numbers)
    cohort, seed = snakemake.input.cohort, params["seed"]
    curve = learning_curve(
        sizes=[read_size(*size, folds, cohort, seed) for size in snakemake.params.runs.items()],
        task=load("MEASURES", params["kind"])(params["task"]),
        bootstrap=Bootstrap(seed, snakemake.params.group),
        metric=params["training"]["monitor"] or next(iter(monitors(params["kind"]))),
    )
    write_json(snakemake.output[0], curve)
