"""Bundle: needs the kept models of a run and its summary; makes one file for other sites.

results/{study}/{cohort.csv,runs} -> results/{study}/bundle/{study}-<version>.zip
"""

from foldwise.plan.bundles import Bundles

bundles = Bundles(studies)


localrules:
    bundle,


rule bundle:
    input:
        bundles.targets,
    message:
        "The bundles are there: {input}"


rule make_bundle:
    input:
        params=files_of(bundles.params),
        summary=current(bundles.summary),
        cohort=current("results/{study}/cohort.csv"),
        flow=current("results/{study}/flow.json"),
        models=current(bundles.models),
        embeddings=current(bundles.embeddings),
        holdout=current(bundles.holdout),
        reliability=current(bundles.reliability),
        key=files_of(bundles.key),
    output:
        "results/{study}/bundle/{study}-{version}.zip",
    log:
        "results/{study}/logs/make_bundle-{version}.log",
    benchmark:
        "results/{study}/benchmarks/make_bundle-{version}.tsv"
    wildcard_constraints:
        study=bundles.training(),
    conda:
        "../../envs/bundle.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        about=bundles.about,
        numbers=studies.folds,
        cache=studies.cache_key,
        predicts=bundles.code("predict_holdout"),
        code=bundles.bundle_code,
    message:
        "Putting the models of study {wildcards.study} into a bundle"
    script:
        "../scripts/make_bundle.py"
