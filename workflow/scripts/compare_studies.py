"""Rule compare_studies: all comparisons of an article's studies, with Holm's correction."""

from foldwise.adapter import adapter
from foldwise.article.across import across, read_reported
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.files import write_json
from foldwise.metrics import monitors
from foldwise.registry import load

with adapter(snakemake):
    studies = [read_reported(*one) for one in snakemake.params.reported]
    params = studies[0].params
    task = load("MEASURES", params["kind"])(params["task"])
    metric = params["training"]["monitor"] or next(iter(monitors(params["kind"])))
    bootstrap = Bootstrap(params["seed"], snakemake.params.group)
    write_json(snakemake.output[0], across(studies, task, bootstrap, metric))
