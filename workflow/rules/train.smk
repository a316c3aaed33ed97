"""Training: needs folds and the cache; makes models, predictions, metrics and the summary of a run."""


rule run_params:
    output:
        "results/{study}/runs/{run}/params.json",
    log:
        "results/{study}/logs/{run}/run_params.log",
    benchmark:
        "results/{study}/benchmarks/{run}/run_params.tsv"
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=300,
        runtime=5,
        gpu=0,
    params:
        settings=run_settings,
    message:
        "Writing the settings of run {wildcards.run}, study {wildcards.study}"
    script:
        "../scripts/run_params.py"


rule embeddings:
    input:
        cohort=current("results/{study}/cohort.csv"),
    output:
        features="results/{study}/embeddings/features.npy",
        metadata="results/{study}/embeddings/metadata.csv",
    log:
        "results/{study}/logs/embeddings.log",
    benchmark:
        "results/{study}/benchmarks/embeddings.tsv"
    conda:
        "../../envs/train.yaml"
    threads: training_threads
    resources:
        mem_mb=4000,
        runtime=240,
        gpu=GPUS,
    params:
        settings=branch("model", "image"),
        cache=cache_key,
        code=code("embeddings"),
    message:
        "Computing embeddings, study {wildcards.study}"
    script:
        "../scripts/embeddings.py"


rule train_fold:
    input:
        params="results/{study}/runs/{run}/params.json",
        cohort=current("results/{study}/cohort.csv"),
        fold="results/{study}/folds/fold_{fold}.csv",
        embeddings=embedding_files,
        texts=texts,
        taught=taught,
    output:
        model="results/{study}/runs/{run}/fold_{fold}/results/best_model.pt",
        history="results/{study}/runs/{run}/fold_{fold}/results/train_history.json",
        ray="results/{study}/runs/{run}/fold_{fold}/results/ray_{run}.jsonl",
    log:
        "results/{study}/logs/{run}/train_fold/fold_{fold}.log",
    benchmark:
        "results/{study}/benchmarks/{run}/train_fold/fold_{fold}.tsv"
    conda:
        "../../envs/train.yaml"
    threads: training_threads
    resources:
        mem_mb=4000,
        runtime=480,
        gpu=GPUS,
    params:
        cache=cache_key,
        code=code("train_fold"),
    message:
        "Training fold {wildcards.fold} of run {wildcards.run}, study {wildcards.study}"
    script:
        "../scripts/train_fold.py"


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
    threads: 1
    resources:
        mem_mb=300,
        runtime=5,
        gpu=0,
    params:
        code=code("run_record"),
    message:
        "Recording fold {wildcards.fold} of run {wildcards.run}, study {wildcards.study}"
    script:
        "../scripts/run_record.py"


rule teach_fold:
    input:
        params="results/{study}/runs/{run}/params.json",
        cohort=current("results/{study}/cohort.csv"),
        fold="results/{study}/folds/fold_{fold}.csv",
        model="results/{study}/runs/{run}/fold_{fold}/results/best_model.pt",
        texts=texts,
    output:
        "results/{study}/runs/{run}/fold_{fold}/results/taught.npz",
    log:
        "results/{study}/logs/{run}/teach_fold/fold_{fold}.log",
    benchmark:
        "results/{study}/benchmarks/{run}/teach_fold/fold_{fold}.tsv"
    retries: 1
    conda:
        "../../envs/train.yaml"
    threads: training_threads
    resources:
        mem_mb=3000,
        runtime=60,
        gpu=GPUS,
    params:
        cache=cache_key,
        code=code("teach_fold"),
    message:
        "Asking the teacher of fold {wildcards.fold} of run {wildcards.run}, study {wildcards.study}"
    script:
        "../scripts/teach_fold.py"


rule predict_fold:
    input:
        params="results/{study}/runs/{run}/params.json",
        cohort=current("results/{study}/cohort.csv"),
        fold="results/{study}/folds/fold_{fold}.csv",
        embeddings=embedding_files,
        model="results/{study}/runs/{run}/fold_{fold}/results/best_model.pt",
        texts=texts,
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
    threads: training_threads
    resources:
        mem_mb=3000,
        runtime=60,
        gpu=GPUS,
    params:
        cache=cache_key,
        code=code("predict_fold"),
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
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
        gpu=0,
    params:
        group=grouped_by,
        code=code("evaluate_fold"),
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
    output:
        summary="results/{study}/runs/{run}/cv_summary.json",
        log="results/{study}/runs/{run}/run.log",
    log:
        "results/{study}/logs/{run}/cv_summary.log",
    benchmark:
        "results/{study}/benchmarks/{run}/cv_summary.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=700,
        runtime=10,
        gpu=0,
    params:
        group=grouped_by,
        code=code("cv_summary"),
        numbers=fold_numbers,
        logs=of_folds("results/{study}/logs/{run}/train_fold/fold_{fold}.log"),
    message:
        "Summing up the folds of run {wildcards.run}, study {wildcards.study}"
    script:
        "../scripts/cv_summary.py"
