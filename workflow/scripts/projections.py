"""Rule projections: embeddings of each fold's validation images in two dimensions."""

from foldwise.adapter import adapter
from foldwise.files import read_json
from foldwise.report.explorer.projections import write_projections

with adapter(snakemake):
    write_projections(
        params=read_json(snakemake.input.params),
        predictions=snakemake.input.predictions,
        embeddings=snakemake.input.embeddings,
        out=snakemake.output[0],
    )
