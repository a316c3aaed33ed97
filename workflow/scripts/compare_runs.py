"""Rule compare_runs: the tuned run against the baseline on the same folds."""

from foldwise.adapter import adapter
from foldwise.files import read_json, write_json, write_text
from foldwise.registry import load
from foldwise.search.compare import as_text, compare, over_seeds
from foldwise.summary import read_fold

with adapter(snakemake):
    params = read_json(snakemake.input.params)
    task = load("MEASURES", params["kind"])(params["task"])
    found = {}
    for seed, (first, second) in snakemake.params.pairs.items():
        folds = [
            [
                read_fold(
                    fold,
                    f"{run}/fold_{fold}/results/metrics/val_metrics.json",
                    f"{run}/fold_{fold}/results/val_predictions.csv",
                    f"{snakemake.params.folds}/fold_{fold}.csv",
                )
                for fold in snakemake.params.numbers
            ]
            for run in (first, second)
        ]
        found[seed] = compare(*folds, task, params["seed"], snakemake.params.objective)
    together = over_seeds(found) if len(found) > 1 else None
    summary = read_json(snakemake.input.summary)
    write_json(snakemake.output.json, {"seeds": found, "over_seeds": together})
    write_text(snakemake.output.text, as_text(found, together, summary["optimism"]["text"]))
