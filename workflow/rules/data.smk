"""Data: needs an archive and a table of labels; makes the cohort, the image cache and the audit.

data.root, data.table -> results/cache/{key}, results/{study}/{images.csv,labels.csv,cohort.csv,audit,private}
"""


checkpoint cohort:
    output:
        images="results/{study}/images.csv",
        labels="results/{study}/labels.csv",
        texts="results/{study}/private/texts.csv",
        findings="results/{study}/findings.csv",
        flow="results/{study}/flow.json",
        id_map="results/{study}/private/id_map.csv",
        contents="results/{study}/private/contents.csv",
    log:
        "results/{study}/logs/cohort.log",
    benchmark:
        "results/{study}/benchmarks/cohort.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        runtime=60,
    params:
        data=studies.settings("data", "seed", "image", "folds", "validate.bundle"),
        cache=studies.cache_key,
        archive=studies.archive,
        code=studies.code("cohort"),
    message:
        "Listing the archive and the table, study {wildcards.study}"
    script:
        "../scripts/cohort.py"


rule cache_shard:
    output:
        pixels="results/cache/{key}/{shard}.npy",
        rows="results/cache/{key}/{shard}.json",
    log:
        "results/cache/{key}/logs/{shard}.log",
    benchmark:
        "results/cache/{key}/benchmarks/{shard}.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=1500,
        runtime=120,
    params:
        source=studies.cached,
    message:
        "Decoding images: part {wildcards.shard} of cache {wildcards.key}"
    script:
        "../scripts/cache_shard.py"


rule audit:
    input:
        images="results/{study}/images.csv",
        labels="results/{study}/labels.csv",
        findings="results/{study}/findings.csv",
        flow="results/{study}/flow.json",
        shards=shards,
    output:
        cohort="results/{study}/cohort.csv",
        checks="results/{study}/audit/data_audit.csv",
        quarantine="results/{study}/audit/data_quarantine.csv",
        manifest="results/{study}/audit/data_manifest.json",
    log:
        "results/{study}/logs/audit.log",
    benchmark:
        "results/{study}/benchmarks/audit.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        settings=studies.settings("data", "validate.bundle"),
        code=studies.code("audit"),
    message:
        "Checking all images and counting what is left out, study {wildcards.study}"
    script:
        "../scripts/audit.py"


rule text_probe:
    input:
        cohort=current("results/{study}/cohort.csv"),
        texts="results/{study}/private/texts.csv",
    output:
        "results/{study}/audit/text_probe.json",
    log:
        "results/{study}/logs/text_probe.log",
    benchmark:
        "results/{study}/benchmarks/text_probe.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        runtime=30,
    params:
        code=studies.code("text_probe"),
    message:
        "Testing whether texts give a label away, study {wildcards.study}"
    script:
        "../scripts/text_probe.py"
