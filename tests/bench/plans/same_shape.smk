"""The jobs of a search with as many files, params and resources as Foldwise's, and no code.

What workflow/rules/search.smk and its like ask the study stands here as values: see ../plans.py.
"""

N, FOLDS = int(config["trials"]), [1, 2, 3]
WINDOW = 16
TRIALS = [f"trial_{n:04d}" for n in range(N)]
MADE = ["best_model.pt", "train_history.json", "outcome.json"]


container: "docker://none"


wildcard_constraints:
    study=r"[a-z][a-z0-9_.]*",
    fold=r"\d+",
    number=r"\d\d\d\d+",


rule search:
    input:
        expand("results/mine/runs/{t}/fold_{f}/results/{m}", t=TRIALS, f=FOLDS, m=MADE),
        "results/mine/search/study.db",
        "results/mine/search/best_params.json",


rule cohort:
    output:
        "results/{study}/cohort.csv",
        expand("results/{{study}}/cohort_{n}.csv", n=range(7)),
    log:
        "results/{study}/logs/cohort.log",
    benchmark:
        "results/{study}/benchmarks/cohort.tsv"
    params:
        code="code",
    shell:
        "touch {output}"


rule fold:
    input:
        "results/{study}/cohort.csv",
    output:
        "results/{study}/folds/fold_{fold}.csv",
    log:
        "results/{study}/logs/fold/fold_{fold}.log",
    benchmark:
        "results/{study}/benchmarks/fold/fold_{fold}.tsv"
    params:
        code="code",
    shell:
        "touch {output}"


def before(wildcards):
    n, base = int(wildcards.number), f"results/{wildcards.study}"
    if n == 0:
        return [f"{base}/folds/fold_{fold}.csv" for fold in FOLDS]
    late = [f"{base}/runs/trial_{n - WINDOW:04d}/result.json"] if n >= WINDOW else []
    return [f"{base}/runs/trial_{n - 1:04d}/suggestion.json", *late]


rule suggest_trial:
    input:
        before,
    output:
        suggestion="results/{study}/runs/trial_{number}/suggestion.json",
        params="results/{study}/runs/trial_{number}/params.json",
    log:
        "results/{study}/logs/trial_{number}/suggest_trial.log",
    benchmark:
        "results/{study}/benchmarks/trial_{number}/suggest_trial.tsv"
    conda:
        "../../../envs/train.yaml"
    params:
        search=config["search"],
        code="code",
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    message:
        "Proposing trial {wildcards.number}, study {wildcards.study}"
    shell:
        "touch {output}"


rule train_trial:
    input:
        params="results/{study}/runs/trial_{number}/params.json",
        cohort="results/{study}/cohort.csv",
        fold="results/{study}/folds/fold_{fold}.csv",
    output:
        model="results/{study}/runs/trial_{number}/fold_{fold}/results/best_model.pt",
        history="results/{study}/runs/trial_{number}/fold_{fold}/results/train_history.json",
        ray="results/{study}/runs/trial_{number}/fold_{fold}/results/ray_trial_{number}.jsonl",
        outcome="results/{study}/runs/trial_{number}/fold_{fold}/results/outcome.json",
    log:
        "results/{study}/logs/trial_{number}/train_trial/fold_{fold}.log",
    benchmark:
        "results/{study}/benchmarks/trial_{number}/train_trial/fold_{fold}.tsv"
    conda:
        "../../../envs/train.yaml"
    params:
        search=config["search"],
        cache="cache",
        code="code",
    threads: 1
    resources:
        mem_mb=4000,
        runtime=480,
        gpu=0,
    message:
        "Training trial {wildcards.number}, fold {wildcards.fold}, study {wildcards.study}"
    shell:
        "touch {output}"


rule trial_result:
    input:
        suggestion="results/{study}/runs/trial_{number}/suggestion.json",
        params="results/{study}/runs/trial_{number}/params.json",
        outcomes=expand(
            "results/{{study}}/runs/trial_{{number}}/fold_{fold}/results/outcome.json",
            fold=FOLDS,
        ),
    output:
        result="results/{study}/runs/trial_{number}/result.json",
        record="results/{study}/runs/trial_{number}/optuna_trial.json",
    log:
        "results/{study}/logs/trial_{number}/trial_result.log",
    benchmark:
        "results/{study}/benchmarks/trial_{number}/trial_result.tsv"
    conda:
        "../../../envs/train.yaml"
    params:
        search=config["search"],
        code="code",
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    message:
        "Taking the result of trial {wildcards.number}, study {wildcards.study}"
    shell:
        "touch {output}"


rule collect_search:
    input:
        expand("results/{{study}}/runs/{t}/suggestion.json", t=TRIALS),
        expand("results/{{study}}/runs/{t}/result.json", t=TRIALS),
        expand(
            "results/{{study}}/runs/{t}/fold_{f}/results/train_history.json",
            t=TRIALS,
            f=FOLDS,
        ),
    output:
        "results/{study}/search/study.db",
        expand("results/{{study}}/search/{n}", n=range(13)),
    log:
        "results/{study}/logs/collect_search.log",
    benchmark:
        "results/{study}/benchmarks/collect_search.tsv"
    params:
        search=config["search"],
        code="code",
    resources:
        mem_mb=2000,
        runtime=30,
        gpu=0,
    shell:
        "touch {output}"


rule best_params:
    input:
        expand("results/{{study}}/runs/{t}/suggestion.json", t=TRIALS),
        expand("results/{{study}}/runs/{t}/result.json", t=TRIALS),
    output:
        "results/{study}/search/best_params.json",
        "results/{study}/search/best.json",
    log:
        "results/{study}/logs/best_params.log",
    benchmark:
        "results/{study}/benchmarks/best_params.tsv"
    params:
        search=config["search"],
        code="code",
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    shell:
        "touch {output}"
