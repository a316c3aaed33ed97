"""Every way in which a job may end, with the server's history on and off, in one run each."""

import re

import pytest
from pbs_cluster import LIMIT

SNAKEFILE = """
NAMES = "ok long fails walltime memory deleted waits refused never unknown_queue".split()
rule all:
    input: expand("out/{n}", n=NAMES)
rule ok:
    output: "out/ok"
    shell: "touch {output}"
# Needs three walltimes, and saves on SIGTERM.
rule long:
    output: "out/long"
    retries: 2
    resources: runtime=2
    shell:
        "echo x >> starts; "
        "trap 'echo x >> saved; exit 143' TERM; "
        "if [ $(wc -l < starts) = 3 ]; then touch {output}; exit; fi; "
        "touch ~/clock.$PBS_JOBID; sleep 60 & wait"
rule fails:
    output: "out/fails"
    shell: "exit 3"
rule walltime:
    output: "out/walltime"
    resources: runtime=2, mem_mb=1000
    shell: "touch ~/clock.$PBS_JOBID; sleep 60"
rule memory:
    output: "out/memory"
    resources: mem_mb=200
    shell: "python -c 'import time; x = b\\"1\\" * (400 << 20); time.sleep(20)'"
rule deleted:
    output: "out/deleted"
    shell: "touch running; sleep 60"
rule waits:
    output: "out/waits"
    threads: 65
    shell: "touch {output}"
rule refused:
    output: "out/refused"
    resources: pbs_queue="short", runtime=60
    shell: "touch {output}"
rule unknown_queue:
    output: "out/unknown_queue"
    resources: pbs_queue="gone"
    shell: "touch {output}"
rule never:
    output: "out/never"
    resources: gpu=5
    shell: "touch {output}"
"""


@pytest.mark.parametrize("history", [True, False])
def test_endings(workflow, cluster, history):
    cluster.faults(history=history)
    flow = workflow(SNAKEFILE)
    driver = flow.start("--keep-going")
    flow.until_file("running")
    flow.until("Submitted waits")
    flow.until("Submitted never")
    assert cluster.command("qdel", flow.job_id("deleted")).returncode == 0
    assert cluster.command("qdel", flow.job_id("waits")).returncode == 0
    flow.until("waits for ever: Can Never Run: Insufficient amount of resource: ngpus")
    cluster.command("qdel", flow.job_id("never"))
    assert driver.wait(LIMIT) == 1
    output = flow.log.read_text()
    outputs = {path.name for path in (flow.folder / "out").iterdir()}
    assert outputs == {"ok", "long"}, output

    def reason(rule):
        return re.search(rf"PBS job \S+ \({rule}\.\S+\) failed: (.+)", output)[1]

    assert "its command ended with exit code 1" in reason("fails")
    assert re.search(r"walltime.*`runtime`.*(of 00:02:00 requested|$)", reason("walltime"))
    assert re.search(r"mem.*exceeded.*`mem_mb`", reason("memory"))
    if history:
        assert re.search(r"Used: walltime [\d:]+ of 00:02:00 requested", reason("walltime"))
        assert re.search(r"mem \d+kb of \d+kb requested", reason("memory"))
        assert "deleted while it ran" in reason("deleted") and "terminated by" in reason("deleted")
        assert "deleted before it ran" in reason("waits")
    else:
        assert "without an exit code" in reason("deleted") or "exit code 1" in reason("deleted")
        assert "no history" in reason("waits")
    assert "PBS refused it (188): qsub: Job violates queue" in output
    assert "set `pbspro-max-walltime`" in output and "Command: qsub -N refused." in output
    assert "PBS refused it (170): qsub: Unknown queue" in output and "qstat -Q" in output
    assert re.search(r"pbspro/logs/walltime/walltime\.\w+\.log", output)
    submissions = [call for call in cluster.calls("qsub") if call[1].startswith("long.")]
    times = [re.search(r"walltime=(\d+)", " ".join(call))[1] for call in submissions]
    assert times == ["120", "180", "270"] and len(flow.starts()) == 3
    assert (flow.folder / "saved").exists()


def test_a_deleted_job_with_exit_status_0_has_failed(workflow, cluster):
    """As a live server gave it, for a job that has written its output and no exit code."""
    cluster.faults(deleted_as=0)
    shell = "touch {output}; touch running; trap '' TERM; sleep 60"
    flow = workflow(f'rule one:\n    output: "out"\n    shell: "{shell}"\n')
    driver = flow.start()
    flow.until_file("running")
    cluster.command("qdel", "1")
    assert driver.wait(LIMIT) == 1
    assert "deleted while it ran (Exit_status 0)" in flow.log.read_text()


@pytest.mark.parametrize("fault", [{"history": True}, {"history": False}, {"unknown": ["1"]}])
@pytest.mark.parametrize("late", [2.5, pytest.param(30, marks=pytest.mark.slow)])
def test_files_of_a_network_disk_come_late(workflow, cluster, fault, late):
    flow = workflow(
        'rule late:\n    output: "out/late"\n    shell: "echo x >> starts; touch {output}"\n'
    )
    mv = f'(setsid -f sh -c \'sleep {late}; exec /bin/mv "$@"\' mv "$@")'
    (cluster.folder / "bin/mv").write_text(f"#!/bin/sh\n{mv}\n")
    (cluster.folder / "bin/mv").chmod(0o755)
    cluster.faults(hide=[[str(flow.folder / "out/late")], late], **fault)
    code, output = flow.run("--latency-wait", str(int(2 * late)))
    assert code == 0, output
    assert len(flow.starts()) == 1


def test_a_node_that_does_not_see_the_folder(workflow, cluster):
    flow = workflow('rule one:\n    output: "out"\n    shell: "touch {output}"\n')
    cluster.faults(blind=True)
    code, output = flow.run()
    assert code == 1
    assert "does not see the working directory" in output
