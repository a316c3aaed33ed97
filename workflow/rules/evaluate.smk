"""Evaluation: needs the model of each fold; makes predictions, metrics and the summary of a run.

results/{study}/runs/{run}/fold_*/results/best_model.pt -> val_predictions.csv and metrics beside it,
results/{study}/runs/{run}/cv_summary.json
"""


rule run_record:
    input:
        params=current("results/{study}/runs/{run}/params.json"),
        history="results/{study}/runs/{run}/fold_{fold}/results/train_history.json",
    output:
        "results/{study}/runs/{run}/fold_{fold}/results/optuna_trial.json",
    log:
        "results/{study}/logs/{run}/run_record/fold_{fold}.log",
    benchmark:
        "results/{study}/benchmarks/{run}/run_record/fold_{fold}.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        code=studies.code("run_record"),
    message:
        "Recording fold {wildcards.fold} of run {wildcards.run}, study {wildcards.study}"
    script:
        "../scripts/run_record.py"


rule predict_fold:
    input:
        params="results/{study}/runs/{run}/params.json",
        cohort=current("results/{study}/cohort.csv"),
        fold="results/{study}/folds/fold_{fold}.csv",
        embeddings=files_of(studies.embeddings),
        model="results/{study}/runs/{run}/fold_{fold}/results/best_model.pt",
        texts=current(studies.texts),
    output:
        predictions="results/{study}/runs/{run}/fold_{fold}/results/val_predictions.csv",
        embeddings="results/{study}/runs/{run}/fold_{fold}/results/embeddings_val.npy",
        maps="results/{study}/runs/{run}/fold_{fold}/results/maps_val.npy",
    log:
        "results/{study}/logs/{run}/predict_fold/fold_{fold}.log",
    benchmark:
        "results/{study}/benchmarks/{run}/predict_fold/fold_{fold}.tsv"
    conda:
        "../../envs/train.yaml"
    threads: studies.threads
    resources:
        mem_mb=3000,
        runtime=60,
        gpu=GPUS,
    params:
        cache=studies.cache_key,
        code=studies.code("predict_fold"),
    message:
        "Predicting the validation part of fold {wildcards.fold} of run {wildcards.run}, study {wildcards.study}"
    script:
        "../scripts/predict_fold.py"


rule evaluate_fold:
    input:
        params="results/{study}/runs/{run}/params.json",
        predictions=current("results/{study}/runs/{run}/fold_{fold}/results/val_predictions.csv"),
    output:
        text="results/{study}/runs/{run}/fold_{fold}/results/metrics/val_metrics.txt",
        json="results/{study}/runs/{run}/fold_{fold}/results/metrics/val_metrics.json",
        yaml="results/{study}/runs/{run}/fold_{fold}/results/metrics/val_metrics.yaml",
    log:
        "results/{study}/logs/{run}/evaluate_fold/fold_{fold}.log",
    benchmark:
        "results/{study}/benchmarks/{run}/evaluate_fold/fold_{fold}.tsv"
    conda:
        "../../envs/report.yaml"
    params:
        group=studies.group,
        code=studies.code("evaluate_fold"),
    message:
        "Measuring fold {wildcards.fold} of run {wildcards.run}, study {wildcards.study}"
    script:
        "../scripts/evaluate_fold.py"


rule cv_summary:
    input:
        params="results/{study}/runs/{run}/params.json",
        metrics=of_folds("results/{study}/runs/{run}/fold_{fold}/results/metrics/val_metrics.json"),
        predictions=of_folds("results/{study}/runs/{run}/fold_{fold}/results/val_predictions.csv"),
        folds=of_folds("results/{study}/folds/fold_{fold}.csv"),
        histories=current(studies.histories),
    output:
        summary="results/{study}/runs/{run}/cv_summary.json",
        log="results/{study}/runs/{run}/run.log",
    log:
        "results/{study}/logs/{run}/cv_summary.log",
    benchmark:
        "results/{study}/benchmarks/{run}/cv_summary.tsv"
    conda:
        "../../envs/report.yaml"
    params:
        group=studies.group,
        code=studies.code("cv_summary"),
        numbers=studies.folds,
        logs=of_folds("results/{study}/logs/{run}/train_fold/fold_{fold}.log"),
    message:
        "Summing up the folds of run {wildcards.run}, study {wildcards.study}"
    script:
        "../scripts/cv_summary.py"
