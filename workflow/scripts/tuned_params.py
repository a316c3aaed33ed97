"""Rule tuned_params: the settings of the run that is trained with the best parameters."""

from foldwise.adapter import adapter
from foldwise.files import write_json
from foldwise.search.chosen import tuned_params
from foldwise.search.given import read_given

with adapter(snakemake):
    base = dict(snakemake.params.base)
    digits = snakemake.wildcards.seed.removeprefix("_seed")
    run = f"tuned{snakemake.wildcards.seed}"
    chosen = {"changes": read_given(snakemake.input[0])}
    seed = int(digits) if digits else base["seed"]
    write_json(snakemake.output[0], tuned_params(base, chosen, run, seed))
