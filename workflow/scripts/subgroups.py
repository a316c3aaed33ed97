"""Rule subgroups: how good a run is for each value of the named columns."""

from foldwise.adapter import adapter
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.files import read_csv, read_json, write_json
from foldwise.registry import load
from foldwise.reliability.conformal import covered
from foldwise.reliability.subgroups import SubgroupRequest, subgroups

with adapter(snakemake):
    files, params = snakemake.input, read_json(snakemake.input.params)
    task = load("MEASURES", params["kind"])(params["task"])
    rows = [row for path in files.predictions for row in read_csv(path)]
    report = snakemake.params.report
    classes = {"classes", "heads"} & set(params["task"])
    sets = covered(rows, params["task"], report["report.error"]) if classes else {}
    judged = subgroups(
        rows=rows,
        values={row["sample"]: row for row in read_csv(files.values)},
        columns=read_json(files.columns)["columns"],
        task=task,
        request=SubgroupRequest.of(
            task, params["training"]["monitor"], report["report.subgroup_least"], sets
        ),
        bootstrap=Bootstrap(params["seed"], snakemake.params.group),
    )
    write_json(snakemake.output[0], judged)
