"""Rule run_record: what a fold was trained with and came to, in the form of an Optuna trial."""

from foldwise.adapter import adapter
from foldwise.files import read_json, write_json
from foldwise.search.records import fold_record

with adapter(snakemake):
    params, history = read_json(snakemake.input.params), read_json(snakemake.input.history)
    write_json(snakemake.output[0], fold_record(params, history))
