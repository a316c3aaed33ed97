"""Rule compare_runs: the tuned run against the baseline on the same folds."""

from foldwise.adapter import adapter
from foldwise.evaluate.compare import as_text, check_defined, compare, over_seeds
from foldwise.evaluate.comparisons import Folds
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.verdict import OF_WINNER
from foldwise.files import read_json, write_json, write_text
from foldwise.registry import load

with adapter(snakemake):
    params = read_json(snakemake.input.params)
    task = load("MEASURES", params["kind"])(params["task"])
    folds = Folds(snakemake.params.folds, snakemake.params.numbers)
    bootstrap = Bootstrap(params["seed"], snakemake.params.group)
    comparisons = {}
    for seed, pair in snakemake.params.pairs.items():
        both = (folds.of(run) for run in pair)
        comparisons[seed] = compare(*both, task, bootstrap, *snakemake.params.objective)
        check_defined(comparisons[seed])
        comparisons[seed]["verdict"] += f" {OF_WINNER}"
    together = over_seeds(comparisons) if len(comparisons) > 1 else None
    luck = "not known, for the parameters come from a file (--config hyperparams)."
    if snakemake.input.summary:
        luck = read_json(snakemake.input.summary[0])["optimism"]["text"]
    write_json(snakemake.output.json, {"seeds": comparisons, "over_seeds": together})
    write_text(snakemake.output.text, as_text(comparisons, together, luck))
