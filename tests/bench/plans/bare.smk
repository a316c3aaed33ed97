"""As many jobs as a search has, in the same chain, and nothing else: see ../plans.py."""

N, FOLDS = int(config["trials"]), [1, 2, 3]
WINDOW = 16


rule search:
    input:
        expand("result/{n}", n=range(N)),


def before(wildcards):
    n = int(wildcards.n)
    return [f"suggest/{n - 1}"] * (n > 0) + [f"result/{n - WINDOW}"] * (n >= WINDOW)


rule suggest:
    input:
        before,
    output:
        "suggest/{n}",
    shell:
        "touch {output}"


rule train:
    input:
        "suggest/{n}",
    output:
        "train/{n}_{fold}",
    shell:
        "touch {output}"


rule result:
    input:
        "suggest/{n}",
        expand("train/{{n}}_{fold}", fold=FOLDS),
    output:
        "result/{n}",
    shell:
        "touch {output}"
