"""Evidence: needs repeats of the reported run; says what chance and more patients do to it.

results/{study}/runs/{run}{_seed*,_part*}/fold_*/results ->
results/{study}/runs/{run}/{seed_variance,learning_curve}.json
"""


localrules:
    seeds,
    learning_curve,


rule seeds:
    input:
        files_of(evidence.targets("seeds")),
    message:
        "All seeds are trained and compared"


rule learning_curve:
    input:
        files_of(evidence.targets("learning_curve")),
    message:
        "The learning curve is there"


rule seed_variance:
    input:
        params="results/{study}/runs/{run}/params.json",
        runs=current(evidence.files_of_seeds),
        folds=of_folds("results/{study}/folds/fold_{fold}.csv"),
    output:
        "results/{study}/runs/{run}/seed_variance.json",
    log:
        "results/{study}/logs/{run}/seed_variance.log",
    benchmark:
        "results/{study}/benchmarks/{run}/seed_variance.tsv"
    conda:
        "../../envs/report.yaml"
    resources:
        runtime=30,
    params:
        runs=evidence.seeds,
        folds="results/{study}/folds",
        numbers=studies.folds,
        group=studies.group,
        code=studies.code("seed_variance"),
    message:
        "Splitting the spread of run {wildcards.run} into seed, fold and patient, study {wildcards.study}"
    script:
        "../scripts/seed_variance.py"


rule fit_learning_curve:
    input:
        params="results/{study}/runs/{run}/params.json",
        cohort=current("results/{study}/cohort.csv"),
        runs=current(evidence.files_of_sizes),
        folds=of_folds("results/{study}/folds/fold_{fold}.csv"),
    output:
        "results/{study}/runs/{run}/learning_curve.json",
    log:
        "results/{study}/logs/{run}/fit_learning_curve.log",
    benchmark:
        "results/{study}/benchmarks/{run}/fit_learning_curve.tsv"
    conda:
        "../../envs/report.yaml"
    resources:
        runtime=30,
    params:
        runs=evidence.sizes,
        folds="results/{study}/folds",
        numbers=studies.folds,
        group=studies.group,
        code=studies.code("fit_learning_curve"),
    message:
        "Fitting the learning curve of run {wildcards.run}, study {wildcards.study}"
    script:
        "../scripts/fit_learning_curve.py"
