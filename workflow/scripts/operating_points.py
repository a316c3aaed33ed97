"""Rule operating_points: each class against the rest at each threshold, for the page's slider."""

from foldwise.adapter import adapter
from foldwise.files import read_json
from foldwise.report.explorer.thresholds import write_operating_points

with adapter(snakemake):
    write_operating_points(
        params=read_json(snakemake.input.params),
        predictions=snakemake.input.predictions,
        out=snakemake.output[0],
    )
