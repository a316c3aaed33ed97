"""Rule examples: images of a run, best to worst, with truth and prediction."""

from foldwise.adapter import adapter
from foldwise.files import read_csv, read_json
from foldwise.metrics import monitors
from foldwise.pixels.cache import Images
from foldwise.report.examples import write_examples

with adapter(snakemake):
    params, cohort = read_json(snakemake.input.params), read_csv(snakemake.input.cohort)
    write_examples(
        images=Images.of(cohort, f"results/cache/{snakemake.params.cache}"),
        cohort=cohort,
        channels=params["image"]["channels"],
        metric=next(iter(monitors(params["kind"]))),
        folds=list(zip(snakemake.input.predictions, snakemake.input.maps, strict=True)),
        out_json=snakemake.output.pictures,
    )
