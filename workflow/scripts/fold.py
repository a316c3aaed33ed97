"""Rule fold: which samples train, validate and are held out in one fold."""

from foldwise.adapter import adapter
from foldwise.folds.assign import write_fold

with adapter(snakemake):
    write_fold(
        folds=snakemake.input.folds,
        fold=int(snakemake.wildcards.fold),
        out=snakemake.output[0],
    )
