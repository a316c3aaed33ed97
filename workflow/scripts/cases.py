"""Rule cases: each validation image with its answer and a thumbnail, for the page's gallery."""

from foldwise.adapter import adapter
from foldwise.files import read_csv, read_json
from foldwise.pixels.cache import Images
from foldwise.report.cases import write_cases

with adapter(snakemake):
    cohort, cache = read_csv(snakemake.input.cohort), f"results/cache/{snakemake.params.cache}"
    pictures = snakemake.params.pictures["report.thumbnails"] != "none"
    write_cases(
        params=read_json(snakemake.input.params),
        predictions=snakemake.input.predictions,
        cohort=cohort,
        images=Images.of(cohort, cache) if pictures else None,
        out=snakemake.output[0],
    )
