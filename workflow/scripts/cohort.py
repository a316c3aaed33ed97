"""Checkpoint cohort: archive and table joined into samples, with what is unusable named."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.data.cohort import CohortSettings, make_cohort
from foldwise.registry import load

with adapter(snakemake):
    data = snakemake.params.data["data"]
    make_cohort(
        settings=CohortSettings.of(data, snakemake.params.data["seed"]),
        reader=load("READERS", data["reader"])(),
        study=Path(snakemake.output.images).parent,
        private=Path("results/private"),
        lists=Path("results/cache", snakemake.params.cache, "lists"),
        threads=snakemake.threads,
    )
