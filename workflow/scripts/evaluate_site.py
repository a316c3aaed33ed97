"""Rule evaluate_site: what a bundle's models do at another site, beside what was expected."""

from foldwise.adapter import adapter
from foldwise.bundle.external import Tables, external_summary
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.files import read_csv, read_json, write_json
from foldwise.registry import load
from foldwise.settings.bundle_file import read_manifest

with adapter(snakemake):
    files, manifest = snakemake.input, read_manifest(snakemake.input.bundle)
    params, (values, columns) = manifest["params"], files.subgroups or (None, None)
    summary = external_summary(
        study=snakemake.wildcards.study,
        manifest=manifest,
        tables=Tables(
            together=read_csv(files.predictions),
            each=read_csv(files.folds),
            subgroups=read_csv(values) if values else [],
            columns=read_json(columns)["columns"] if columns else [],
            least=snakemake.params.least["report.subgroup_least"],
        ),
        facts=read_json(files.facts),
        measured=load("MEASURES", params["kind"])(params["task"]),
        bootstrap=Bootstrap(params["seed"], snakemake.params.group),
    )
    write_json(snakemake.output[0], summary)
