"""The same ends and interruptions on the PBS server that answers here; skipped where none does.

PBS_TEST_FOLDER names a folder that nodes see, PBS_TEST_OPTIONS more options of the driver,
PBS_TEST_QSUB those of a driver that is itself a job.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from pbs_cluster import PLUGIN, WAITING, Live, Workflow, begun, go

ENDINGS = """
NAMES = "ok fails walltime memory deleted waits".split()
rule all:
    input: expand("out/{n}", n=NAMES)
rule ok:
    output: "out/ok"
    shell: "env > {output}; umask >> {output}"
rule fails:
    output: "out/fails"
    shell: "exit 3"
rule walltime:
    output: "out/walltime"
    resources: runtime=1
    shell: "trap 'touch saved; exit 1' TERM; sleep 300 & wait"
rule memory:
    output: "out/memory"
    resources: mem_mb=200, runtime=5
    shell: "python -c 'import time; x = b\\"1\\" * (900 << 20); time.sleep(120)'"
rule deleted:
    output: "out/deleted"
    shell: "touch running; sleep 300"
rule waits:
    output: "out/waits"
    resources: pbs_extra="-h"
    shell: "touch {output}"
"""


def answers() -> bool:
    found = shutil.which("qstat")
    return bool(found) and subprocess.run([found, "-B"], capture_output=True).returncode == 0


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not answers(), reason="no PBS server answers `qstat -B`"),
]


@pytest.fixture
def cluster():
    return Live()


@pytest.fixture
def workflow(cluster):
    folder = Path(os.environ.get("PBS_TEST_FOLDER", "/tmp")) / f"pbspro-{uuid.uuid4().hex[:8]}"
    made = []

    def make(snakefile):
        made.append(Workflow(folder, cluster, snakefile))
        return made[-1]

    yield make
    for each in made:
        each.close()
    shutil.rmtree(folder, ignore_errors=True)


def facts(cluster, job_id):
    facts = cluster.command("qstat", "-x", "-f", "-F", "json", job_id).stdout
    return re.sub(r"\s", "", facts)


OPTIONS = shlex.split(os.environ.get("PBS_TEST_OPTIONS", ""))


def test_endings(workflow, cluster):
    flow = workflow(ENDINGS)
    driver = flow.start("--keep-going", *OPTIONS, poll=5)
    flow.until_file("running", 120)
    flow.until("Submitted waits")
    cluster.command("qdel", flow.job_id("deleted"))
    cluster.command("qdel", flow.job_id("waits"))
    assert driver.wait(400) == 1
    output = flow.log.read_text()

    def reason(rule):
        return re.search(rf"PBS job \S+ \({rule}\.\S+\) failed: (.+)", output)[1]

    assert [path.name for path in (flow.folder / "out").iterdir()] == ["ok"], output
    seen = (flow.folder / "out/ok").read_text()
    assert "CUDA_VISIBLE_DEVICES" not in seen and seen.rstrip().endswith("0077")
    assert "its command ended with exit code 1" in reason("fails")
    assert (
        re.search(r"walltime .*exceeded.*`runtime`. Used: wall", reason("walltime"))
        and (flow.folder / "saved").exists()
    )
    if '"mem":"0kb"' not in facts(cluster, flow.job_id("ok")):  # some nodes measure none
        assert re.search(r"mem .*exceeded.*`mem_mb`. Used: ", reason("memory"))
    assert "deleted while it ran" in reason("deleted")
    assert "deleted before it ran" in reason("waits")
    for log in (flow.folder / ".snakemake/pbspro/logs").rglob("*.log"):
        assert log.stat().st_mode & 0o077 == 0


def test_ctrl_c(workflow, cluster):
    flow = workflow(WAITING)
    flow.start(*OPTIONS)
    begun(flow)
    assert flow.send_signal(signal.SIGINT) == 1
    assert "none is left on the cluster" in flow.log.read_text()
    assert cluster.queued() == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_driver_ended_and_started_again(workflow, cluster, number):
    flow = workflow(WAITING)
    flow.start(*OPTIONS)
    begun(flow)
    flow.send_signal(number)
    driver = flow.start(*OPTIONS)
    flow.until(r"(?s)(Found one.* again.*){2}")
    go(flow)
    assert driver.wait(120) == 0, flow.log.read_text()
    assert flow.starts() == ["0", "1"]


DRIVER = """#!/bin/bash
#PBS -N driver -l select=1:ncpus=1:mem=1gb -l walltime=00:01:00 -r n -j oe -k oed -o driver.log
export PATH={path}:"$PATH" PYTHONPATH={plugin}
cd "$PBS_O_WORKDIR"
exec {python} -m snakemake --executor pbspro --jobs 9 --nolock --rerun-incomplete {options}
"""


def test_the_driver_is_a_job_that_ends_at_its_walltime(workflow, cluster):
    flow = workflow(WAITING)
    words = {"path": cluster.bin, "plugin": PLUGIN, "python": sys.executable}
    script = flow.folder / "driver.sh"
    script.write_text(DRIVER.format(**words, options=shlex.join(OPTIONS)))
    log = flow.folder / "driver.log"

    def driven(until):
        submitted = ["qsub", *shlex.split(os.environ.get("PBS_TEST_QSUB", "")), script.name]
        subprocess.run(submitted, cwd=flow.folder, check=True, capture_output=True)
        end = time.monotonic() + 240
        while not (log.exists() and until in log.read_text()):
            assert time.monotonic() < end, log.read_text() if log.exists() else "no log"
            time.sleep(1)

    driven("this driver ends, its 2 jobs go on")
    assert flow.starts() == ["0", "1"]
    go(flow)
    driven("3 of 3 steps (100%) done")
    assert flow.starts() == ["0", "1"]


def test_refusals(workflow):
    flow = workflow(WAITING)
    code, output = flow.run("--pbspro-queue", "nosuchqueue")
    assert code == 1 and "PBS refused it (170)" in output and "qstat -Q" in output
    code, output = flow.run("--pbspro-chunk", "nosuchresource=1", *OPTIONS)
    assert code == 1 and "PBS refused it (187)" in output, output
