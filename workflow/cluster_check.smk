"""Two small jobs, one with a GPU: what `python workflow/scripts/check_cluster.py` submits."""


localrules:
    all,


rule all:
    input:
        "results/private/cluster_check/cpu.json",
        "results/private/cluster_check/gpu.json",


rule cpu_probe:
    output:
        "results/private/cluster_check/cpu.json",
    log:
        "results/private/cluster_check/cpu.log",
    conda:
        "../envs/train.yaml"
    threads: 2
    resources:
        mem_mb=2000,
        runtime=10,
        gpu=0,
    script:
        "scripts/cluster_probe.py"


rule gpu_probe:
    output:
        "results/private/cluster_check/gpu.json",
    log:
        "results/private/cluster_check/gpu.log",
    conda:
        "../envs/train.yaml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime=10,
        gpu=1,
    script:
        "scripts/cluster_probe.py"
