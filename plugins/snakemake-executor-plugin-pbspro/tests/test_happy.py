"""What a run asks of PBS, and what its jobs see."""

import os
import stat
import sys

SNAKEFILE = """
envvars: "A_SECRET"
rule all:
    input: expand("out/{n}.txt", n=range(4)), "out/gpu.txt"
rule one:
    output: "out/{n}.txt"
    threads: 2
    resources: mem_mb=300, runtime=10
    params: x={"a": 1}
    shell: "env > {output}; echo $A_SECRET >> {output}; umask >> {output}"
rule two:
    input: "out/1.txt"
    output: "out/gpu.txt"
    resources: mem_mb=500, runtime=20, gpu=1
    shell: "which python > {output}"
"""


def test_requests_and_environment(workflow, cluster):
    cluster.faults(typed=True)  # jobs as a node starts them, and the driver as a user types it
    flow = workflow(SNAKEFILE, forked=False)
    code, output = flow.run(
        "--pbspro-queue", "cpuq", "--pbspro-gpu-queue", "gpuq", "--pbspro-project", "lab",
        "--pbspro-cpus-per-gpu", "12", "--pbspro-gpu-chunk", "arch=milan",
        A_SECRET="it's a secret", CUDA_VISIBLE_DEVICES="7",
    )  # fmt: skip
    assert code == 0, output
    submissions = {call[1].split(".")[0]: " ".join(call) for call in cluster.calls("qsub")}
    one, two = submissions["one_n_0"], submissions["two"]
    assert "-l select=1:ncpus=2:mem=450mb -q cpuq -P lab -l walltime=600" in one
    assert "select=1:ncpus=12:ngpus=1:mem=650mb:arch=milan -q gpuq" in two
    for each in (one, two):
        assert "-r n" in each and "-k oed" in each and "umask=077" in each
        assert " -V" not in each and "secret" not in each
    seen = (flow.folder / "out/1.txt").read_text()
    assert "it's a secret" in seen and "CUDA_VISIBLE_DEVICES" not in seen
    assert seen.rstrip().endswith("0077")
    assert (flow.folder / "out/gpu.txt").read_text().strip() == sys.executable
    # One for the history setting, and a look at one queued job of each kind of request.
    assert len(cluster.calls("qstat")) <= 4
    assert not list((flow.folder / ".snakemake/pbspro/jobs").iterdir())
    logs = list((flow.folder / ".snakemake/pbspro/logs").rglob("*.log"))
    assert len(logs) == 5 and all("secret" not in log.read_text() for log in logs)
    environment = flow.folder / ".snakemake/pbspro/environment.sh"
    assert stat.S_IMODE(os.stat(environment).st_mode) == 0o600
    assert not (flow.folder / ".snakemake/locks").exists() or not os.listdir(
        flow.folder / ".snakemake/locks"
    )
    code, output = flow.run(A_SECRET="x")
    assert code == 0 and "Nothing to be done" in output
    assert not (flow.folder / ".snakemake/pbspro/driver.json").exists()
