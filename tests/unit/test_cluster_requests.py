"""Requests from benchmarks: the predecessor's case, and files that Snakemake really wrote."""

import subprocess
import sys

import pytest

from foldwise.cluster import requests

RULES = """
def computed(wildcards):
    return 1


rule train_fold:
    output:
        "results/{study}/fold_{fold}.pt",
    benchmark:
        "results/{study}/benchmarks/fold_{fold}.tsv"
    threads: 36
    resources:
        mem_mb=240000,
        runtime=2880,
        gpu=1,
    shell:
        "x"


checkpoint cohort:
    output:
        "results/{study}/cohort.csv",
    benchmark:
        "results/{study}/benchmarks/cohort.tsv"
    threads: computed
    resources:
        mem_mb=1000,
        runtime=60,
    shell:
        "x"
"""
HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "Snakefile").write_text(RULES)
    folder = tmp_path / "results" / "beads" / "benchmarks"
    folder.mkdir(parents=True)
    for fold, memory in ((1, 15000), (2, 16000)):
        line = f"7200\t2:00:00\t{memory}\t1\t1\t1\t0\t0\t99\t7000\n"
        (folder / f"fold_{fold}.tsv").write_text(HEADER + line)
    (folder / "cohort.tsv").write_text(HEADER + "0.5\t0:00:00\t-\t-\t-\t-\t-\t-\tNA\tNA\n")
    return tmp_path


def rows(tree, profile=None):
    rules = requests.read_rules(tree / "Snakefile", profile)
    return [(rule, requests.measured(rule, tree)) for rule in rules]


def test_a_request_of_240_gb_for_24(tree):
    (train, used), (cohort, unmeasured) = rows(tree)
    assert (train.mem_mb, train.runtime, train.threads) == (240000, 2880, 36)
    assert requests.propose(train, used) == {"mem_mb": 24000, "runtime": 240, "threads": 1}
    assert cohort.threads is None
    assert requests.propose(cohort, unmeasured) == {"runtime": 5}
    assert requests.overrides(rows(tree)) == {
        "set-resources": {
            "train_fold": {"mem_mb": 24000, "runtime": 240},
            "cohort": {"runtime": 5},
        },
        "set-threads": {"train_fold": 1},
    }
    assert "240000   16000    24000" in requests.table(rows(tree))


def test_a_job_of_a_second_says_nothing_of_memory_and_raises_no_request(tree):
    path = tree / "results" / "beads" / "benchmarks" / "cohort.tsv"
    path.write_text(HEADER + "1.2\t0:00:01\t0.4\t1\t1\t1\t0\t0\t0\t0.1\n")
    _, (cohort, used) = rows(tree)
    assert used.memory_mb == [] and requests.propose(cohort, used) == {"runtime": 5}
    path.write_text(HEADER + "4.2\t0:00:04\t40\t1\t1\t1\t0\t0\t0\t0.1\n")
    _, (cohort, used) = rows(tree)
    assert requests.propose(cohort, used)["mem_mb"] == 500
    cohort.mem_mb = 300
    assert requests.propose(cohort, used)["mem_mb"] == 300


def test_a_profile_overrides_rules(tree):
    lines = "set-resources:\n  train_fold: {mem_mb: 24000, gpu: 1}\nset-threads: {train_fold: 2}\n"
    (tree / "config.yaml").write_text(lines)
    (train, _), _ = rows(tree, tree)
    assert (train.mem_mb, train.runtime, train.threads) == (24000, 2880, 2)


def test_benchmarks_as_snakemake_writes_them(tmp_path):
    (tmp_path / "Snakefile").write_text(
        'rule busy:\n    output:\n        "out",\n    benchmark:\n        "benchmarks/busy.tsv"\n'
        "    threads: 1\n    resources:\n        mem_mb=1000,\n        runtime=10,\n    shell:\n"
        f"        \"{sys.executable} -c 'import time; x = bytearray(200 << 20); time.sleep(7)' "
        '&& touch {output}"\n'
    )
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--quiet", "all"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=600)
    (rule,) = requests.read_rules(tmp_path / "Snakefile")
    use = requests.measured(rule, tmp_path)
    assert 200 < max(use.memory_mb) < 300 and 7 < use.seconds[0] < 20
    assert requests.propose(rule, use)["runtime"] == 5
