"""Foldwise: from a table of labels and an archive of images to a report.

The studies to run stand in config/config.yaml, each in a file of config/studies.
"""

from snakemake.utils import min_version

min_version("9.20")


configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/start.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/folds.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/teach.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/reliability.smk"
include: "workflow/rules/subgroups.smk"
include: "workflow/rules/holdout.smk"
include: "workflow/rules/baseline.smk"
include: "workflow/rules/evidence.smk"
include: "workflow/rules/search.smk"
include: "workflow/rules/collect.smk"
include: "workflow/rules/analysis.smk"
include: "workflow/rules/tuned.smk"
include: "workflow/rules/nested.smk"
include: "workflow/rules/shown.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/explorer.smk"
include: "workflow/rules/packs.smk"
include: "workflow/rules/article.smk"
include: "workflow/rules/crate.smk"
include: "workflow/rules/bundle.smk"
include: "workflow/rules/validate.smk"


report: "workflow/report/workflow.rst"


# `resources: gpu=` of a profile bounds one machine, not all jobs of a cluster.
resource_scopes:
    gpu="local",


localrules:
    all,
    run_params,
    run_record,
    fold,


rule all:
    default_target: True
    input:
        files_of(searches.all_targets),
        files_of(evidence.all_targets),
    message:
        "All that was asked for is there"
