"""Rule text_probe: whether one column of text alone gives a label away."""

from foldwise.adapter import adapter
from foldwise.baselines.text_probe import text_probe

with adapter(snakemake):
    text_probe(snakemake.input.cohort, snakemake.input.texts, snakemake.output[0])
