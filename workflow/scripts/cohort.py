"""Checkpoint cohort: archive and table joined into samples, with what is unusable named."""

import math
from pathlib import Path

from foldwise.adapter import adapter
from foldwise.cohort.build import CohortSettings, make_cohort
from foldwise.cohort.early_checks import EarlyChecks
from foldwise.pixels.prepare import ImageSettings
from foldwise.registry import load
from foldwise.settings.folds import FoldSettings
from foldwise.settings.groups import unit_of
from foldwise.settings.paths import with_paths

with adapter(snakemake):
    name = snakemake.wildcards.study
    study = with_paths(snakemake.params.data, name, snakemake.config)
    data, image = study["data"], ImageSettings(**study["image"])
    where = f"{snakemake.config['folder']}/{name}.yaml"
    decoded = math.prod(load("DECODERS", data["reader"])().shape(image)) * image.dtype.itemsize
    trains = not study["validate.bundle"]
    folds = FoldSettings(
        **study["folds"], seed=study["seed"], where=where, unit=unit_of(data["group"])
    )
    early = EarlyChecks(decoded, folds if trains else None)
    make_cohort(
        settings=CohortSettings.of(data, study["seed"], early, trains),
        reader=load("READERS", data["reader"])(),
        study=Path(snakemake.output.images).parent,
        private=Path("results/private"),
        lists=Path("results/cache", snakemake.params.cache, "lists"),
        threads=snakemake.threads,
    )
