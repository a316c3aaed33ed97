"""Rule cases: each validation image with its answer and a thumbnail, for the page's gallery."""

from foldwise.adapter import adapter
from foldwise.files import read_csv, read_json
from foldwise.pixels.cache import Images
from foldwise.report.cases import Extras, write_cases
from foldwise.report.explorer.overlays import gradcam_maps, merged, predicted_maps, shares_of

with adapter(snakemake):
    cohort, cache = read_csv(snakemake.input.cohort), f"results/cache/{snakemake.params.cache}"
    pictures = snakemake.params.pictures["report.thumbnails"] != "none"
    files = snakemake.input
    images = Images.of(cohort, cache) if pictures else None
    overlays = {}
    if pictures:
        shares = shares_of(images, cohort)
        maps = predicted_maps(files.predictions, files.maps, shares)
        overlays = merged(maps, gradcam_maps(files.get("gradcam", []), shares))
    values = [row for path in files.get("subgroup_values", []) for row in read_csv(path)]
    judged = [read_json(path) for path in files.get("judged", [])]
    write_cases(
        params=read_json(snakemake.input.params),
        predictions=snakemake.input.predictions,
        cohort=cohort,
        images=images,
        out=snakemake.output[0],
        extras=Extras(overlays, values, *judged),
    )
