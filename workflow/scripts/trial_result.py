"""Rule trial_result: what a trial came to, from its folds."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.files import read_json, write_json
from foldwise.search.plan import most_epochs, search_from_params
from foldwise.search.records import trial_record
from foldwise.search.trials import (
    combine,
    read_outcome,
    read_suggestion,
    trial_name,
    write_trial_file,
)
from foldwise.train.process.lock import forget

with adapter(snakemake):
    search = search_from_params(snakemake.params.search)
    suggestion = read_suggestion(snakemake.input.suggestion, search)
    result = combine(
        suggestion=suggestion,
        objectives=search.objectives,
        folds=[read_outcome(path) for path in snakemake.input.outcomes],
        epochs=most_epochs(read_json(snakemake.input.params)),
    )
    write_trial_file(snakemake.output.result, result)
    for path in snakemake.input.outcomes:
        forget(Path(path).parents[1] / "state")
    value = result.values[0] if result.values else None
    name, metric = trial_name(result.number), search.objectives[0].metric
    write_json(snakemake.output.record, trial_record(name, suggestion.params, metric, value))
