"""Rule folds: groups dealt into folds, audited for leaks."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.folds.assign import make_folds
from foldwise.settings.folds import FoldSettings
from foldwise.settings.groups import unit_of

with adapter(snakemake):
    settings = snakemake.params.settings
    make_folds(
        settings=FoldSettings(
            **settings["folds"],
            seed=settings["seed"],
            where=f"{snakemake.config['folder']}/{snakemake.wildcards.study}.yaml",
            unit=unit_of(snakemake.params.group),
        ),
        cohort=snakemake.input.cohort,
        folder=Path(snakemake.output.folds).parent,
    )
