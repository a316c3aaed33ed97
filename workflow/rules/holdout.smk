"""Holdout: needs the kept models of all folds of a run; makes their predictions of its images.

results/{study}/runs/{run}/fold_*/results/best_model.pt -> results/{study}/runs/{run}/holdout,
results/{study}/runs/{run}/holdout_summary.json

No rule of training or of a search reads what is made here, and trials have none of it.
"""

# No trial of a search, which would make the holdout one more fold, and no classical method, which
# keeps no model.
JUDGED_RUN = r"(?!trial_|baseline_|nested_)[a-z][a-z0-9_]*"
# What a classical method predicts of it is measured like what a run predicts.
MEASURED_RUN = r"(?!trial_|nested_)[a-z][a-z0-9_]*"


rule predict_holdout:
    input:
        params="results/{study}/runs/{run}/params.json",
        cohort=current("results/{study}/cohort.csv"),
        fold="results/{study}/folds/fold_1.csv",
        embeddings=files_of(studies.embeddings),
        models=of_folds("results/{study}/runs/{run}/fold_{fold}/results/best_model.pt"),
        texts=current(studies.texts),
    output:
        predictions="results/{study}/runs/{run}/holdout/results/val_predictions.csv",
        folds="results/{study}/runs/{run}/holdout/results/fold_predictions.csv",
        maps="results/{study}/runs/{run}/holdout/results/maps_val.npy",
    log:
        "results/{study}/logs/{run}/predict_holdout.log",
    benchmark:
        "results/{study}/benchmarks/{run}/predict_holdout.tsv"
    wildcard_constraints:
        run=JUDGED_RUN,
    conda:
        "../../envs/train.yaml"
    threads: studies.threads
    resources:
        mem_mb=4000,
        runtime=60,
        gpu=GPUS,
    params:
        numbers=studies.folds,
        cache=studies.cache_key,
        code=studies.code("predict_holdout"),
    message:
        "Predicting the holdout with the models of all folds of run {wildcards.run}, study {wildcards.study}"
    script:
        "../scripts/predict_holdout.py"


rule evaluate_holdout:
    input:
        params="results/{study}/runs/{run}/params.json",
        predictions=current("results/{study}/runs/{run}/holdout/results/val_predictions.csv"),
        folds="results/{study}/runs/{run}/holdout/results/fold_predictions.csv",
    output:
        text="results/{study}/runs/{run}/holdout/results/metrics/val_metrics.txt",
        json="results/{study}/runs/{run}/holdout/results/metrics/val_metrics.json",
        yaml="results/{study}/runs/{run}/holdout/results/metrics/val_metrics.yaml",
        summary="results/{study}/runs/{run}/holdout_summary.json",
    log:
        "results/{study}/logs/{run}/evaluate_holdout.log",
    benchmark:
        "results/{study}/benchmarks/{run}/evaluate_holdout.tsv"
    wildcard_constraints:
        run=MEASURED_RUN,
    conda:
        "../../envs/report.yaml"
    params:
        group=studies.group,
        code=studies.code("evaluate_holdout"),
    message:
        "Measuring the holdout of run {wildcards.run}, study {wildcards.study}"
    script:
        "../scripts/evaluate_holdout.py"
