"""Rule figure: one figure by its name."""

from foldwise.adapter import adapter
from foldwise.report.draw import figure

with adapter(snakemake):
    figure(
        name=snakemake.wildcards.figure,
        paths={kind: list(paths) for kind, paths in snakemake.input.items()},
        out_png=snakemake.output[0],
    )
