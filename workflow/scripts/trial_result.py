"""Rule trial_result: what a trial came to, from its folds."""

from foldwise.adapter import adapter
from foldwise.files import read_json
from foldwise.search.plan import most_epochs, told_search
from foldwise.search.trials import combine, read_outcome, read_suggestion, write_trial_file

with adapter(snakemake):
    search = told_search(snakemake.params.told)
    result = combine(
        suggestion=read_suggestion(snakemake.input.suggestion, search),
        objectives=search.objectives,
        folds=[read_outcome(path) for path in snakemake.input.outcomes],
        epochs=most_epochs(read_json(snakemake.input.params)),
    )
    write_trial_file(snakemake.output[0], result)
