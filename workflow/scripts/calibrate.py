"""Rule calibrate: probabilities mended by maps of the other folds, before and after."""

from foldwise.adapter import adapter
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.files import read_csv, read_json, write_csv, write_json
from foldwise.reliability.calibration import mend

with adapter(snakemake):
    params = read_json(snakemake.input.params)
    summary, rows = mend(
        rows=[row for path in snakemake.input.predictions for row in read_csv(path)],
        task=params["task"],
        method=snakemake.params.method["report.calibration"],
        bootstrap=Bootstrap(params["seed"], snakemake.params.group),
    )
    write_json(snakemake.output.summary, summary)
    write_csv(snakemake.output.table, list(rows[0]), rows)
