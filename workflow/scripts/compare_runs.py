"""Rule compare_runs: the tuned run against the baseline on the same folds."""

from foldwise.adapter import adapter
from foldwise.evaluate.compare import as_text, compare, over_seeds
from foldwise.evaluate.comparisons import folds_of
from foldwise.files import read_json, write_json, write_text
from foldwise.registry import load

with adapter(snakemake):
    params = read_json(snakemake.input.params)
    task = load("MEASURES", params["kind"])(params["task"])
    found = {}
    for seed, pair in snakemake.params.pairs.items():
        folds = [folds_of(run, snakemake.params.folds, snakemake.params.numbers) for run in pair]
        metric, direction = snakemake.params.objective
        found[seed] = compare(
            *folds,
            task,
            params["seed"],
            metric,
            direction=direction,
            group_by=snakemake.params.group,
        )
    together = over_seeds(found) if len(found) > 1 else None
    summary = read_json(snakemake.input.summary)
    write_json(snakemake.output.json, {"seeds": found, "over_seeds": together})
    write_text(snakemake.output.text, as_text(found, together, summary["optimism"]["text"]))
