"""Groups of small jobs in one PBS job, and what a running job tells of its progress."""

from pbs_cluster import LIMIT, go

SNAKEFILE = """
resource_scopes:
    gpu="local"
rule all:
    input: expand("out/{n}.jsonl", n=range(2))
rule one:
    output: "out/{n}.jsonl"
    group: "train"
    threads: 1
    resources: gpu=1, mem_mb=200, runtime=60
    shell: "echo {wildcards.n} >> starts; touch ~/clock.$PBS_JOBID; "
           "echo epoch 2 of 5, 5 min left > $PBSPRO_STATUS; sleep 3; touch {output}"
"""


def test_groups_share_a_gpu(workflow, cluster):
    flow = workflow(SNAKEFILE)
    sharing = ["--group-components", "train=2", "--pbspro-jobs-per-gpu", "2"]
    # What a default profile says of the machine at hand must not reach the cluster.
    code, output = flow.run(*sharing, "--resources", "gpu=1", "--cores", "1")
    assert code == 0, output
    (submission,) = cluster.calls("qsub")
    submission = " ".join(submission)
    assert "select=1:ncpus=2:ngpus=1:mem=850mb" in submission and "walltime=3600" in submission
    assert flow.starts() == ["0", "1"]


def test_why_a_group_failed_is_said(workflow, cluster):
    flow = workflow(SNAKEFILE.replace("runtime=60", "runtime=1"))
    code, output = flow.run("--group-components", "train=2", "--pbspro-jobs-per-gpu", "2")
    assert code == 1 and "failed: PBS killed it: walltime" in output, output


def test_progress_is_shown(workflow, cluster):
    flow = workflow(SNAKEFILE.replace("sleep 3", "while [ ! -e go ]; do sleep 0.1; done"))
    driver = flow.start()
    flow.until(r"train_one\.1_jobs\.\w+: epoch 2 of 5, 5 min left")
    go(flow)
    assert driver.wait(LIMIT) == 0, flow.log.read_text()
