"""Many jobs through a made-up PBS server, by the pbspro plugin and by cluster-generic.

    python tests/bench/pbs_scale.py [jobs] [executor ...]

Jobs last a second and run a stub in place of the inner Snakemake, so that only the driver and the
server's commands are measured. qsub and qstat take as long as on a live OpenPBS 23.06. Printed:
status calls, submissions a second, CPU seconds and memory of the driver, end of a job to noticed.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PLUGIN = Path(__file__).parents[2] / "plugins" / "snakemake-executor-plugin-pbspro"
sys.path.insert(0, str(PLUGIN / "tests"))
from pbs_cluster import Cluster  # noqa: E402

DELAYS = {"qsub": 0.005, "qstat": 0.18, "qdel": 0.01}
SNAKEFILE = """
rule all:
    input: expand("out/{{n}}.txt", n=range({jobs}))
rule one:
    output: "out/{{n}}.txt"
    resources: mem_mb=100, runtime=60
    shell: "touch {{output}}"
"""
# What `--target-jobs one:n=17` names is made after a second.
STUB = """#!/bin/bash
[[ "$*" =~ one:n=([0-9]+) ]] && sleep 1 && mkdir -p out && touch "out/${BASH_REMATCH[1]}.txt"
"""
SUBMIT = """#!/bin/sh
qsub -j oe -o /dev/null -l select=1:ncpus=1:mem=100mb -l walltime=3600 "$@"
"""
STATUS = """#!/bin/sh
said=$(qstat -x -f -F json "$1") || { echo failed; exit; }
case "$said" in
  *'"Exit_status": 0'*) echo success ;;
  *'"job_state": "F"'*) echo failed ;;
  *) echo running ;;
esac
"""


def program(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def options(executor: str, folder: Path) -> list[str]:
    """How the driver is started; both ask the server every ten seconds."""
    if executor == "pbspro":
        return ["--executor", "pbspro", "--nolock", "--pbspro-poll", "10"]
    submit = program(folder / "submit", SUBMIT)
    status = program(folder / "status", STATUS)
    chosen = ["--executor", "cluster-generic", "--cluster-generic-submit-cmd", str(submit)]
    chosen += ["--cluster-generic-status-cmd", str(status), "--cluster-generic-cancel-cmd", "qdel"]
    return [
        *chosen,
        "--seconds-between-status-checks",
        "10",
        "--max-status-checks-per-second",
        "50",
    ]


def measure(executor: str, jobs: int, folder: Path) -> dict[str, float]:
    """Run all jobs once and read what happened from the server's and the driver's own words."""
    stub = program(folder / "stub", STUB)
    cluster = Cluster(folder / "pbs", delays=DELAYS, stub=str(stub), ncpus=64)
    (folder / "Snakefile").write_text(SNAKEFILE.format(jobs=jobs))
    command = [sys.executable, "-m", "snakemake", "--jobs", str(jobs), "--latency-wait", "30"]
    began = time.time()
    driver = subprocess.Popen(
        command + options(executor, folder),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PATH": f"{cluster.bin}:{os.environ['PATH']}"},
    )
    lines = [(time.time(), line) for line in driver.stdout]
    _, status, usage = os.wait4(driver.pid, 0)
    cluster.stop()
    calls = map(json.loads, (folder / "pbs/calls.log").read_text().splitlines())
    submitted = [call[0] for call in calls if call[1] == "qsub"]
    late = lateness(folder, lines)
    return {
        "executor": executor,
        "exit": os.waitstatus_to_exitcode(status),
        "jobs noticed": len(late),
        "wall s": round(time.time() - began, 1),
        "status calls": len(cluster.calls("qstat")) + len(cluster.calls("qselect")),
        "submissions/s": round(len(submitted) / (submitted[-1] - submitted[0]), 1),
        "driver and its commands, CPU s": round(usage.ru_utime + usage.ru_stime, 1),
        "driver, MB": round(usage.ru_maxrss / 1024),
        "end to noticed, mean s": round(statistics.mean(late), 1),
        "end to noticed, longest s": round(max(late), 1),
    }


def lateness(folder: Path, lines: list[tuple[float, str]]) -> list[float]:
    """Seconds from the end of each job on the server to the driver's `Finished jobid`."""
    ended = {}
    for line in (folder / "pbs/ends.log").read_text().splitlines():
        when, number, _ = line.split()
        ended[number.split(".")[0]] = float(when)
    number_of, late, jobid = {}, [], None
    for when, line in lines:
        if found := re.search(r"^    jobid: (\d+)", line):
            jobid = found[1]
        if found := re.search(r"as PBS job (\d+)\.|job (\d+) with external jobid '(\d+)\.", line):
            number_of[found[2] or jobid] = found[1] or found[3]
        if found := re.search(r"Finished jobid: (\d+) \(Rule: one\)", line):
            late.append(when - ended[number_of[found[1]]])
    return late


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    for name in sys.argv[2:] or ["pbspro", "cluster-generic"]:
        with tempfile.TemporaryDirectory() as place:
            print(json.dumps(measure(name, number, Path(place))), flush=True)
