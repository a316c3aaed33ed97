"""Rule conformal: sets that hold the truth at a stated rate, and who can be decided."""

from foldwise.adapter import adapter
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.files import read_csv, read_json, write_json
from foldwise.reliability.conformal import conformal

with adapter(snakemake):
    params = read_json(snakemake.input.params)
    summary = conformal(
        rows=[row for path in snakemake.input.predictions for row in read_csv(path)],
        task=params["task"],
        error=snakemake.params.error["report.error"],
        bootstrap=Bootstrap(params["seed"], snakemake.params.group),
    )
    write_json(snakemake.output[0], summary)
