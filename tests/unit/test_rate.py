"""The driver sleeps while its jobs run: Snakemake's scheduler looks when a job has ended."""

import json
import subprocess
import sys
import time

import pytest

from flow import ROOT
from foldwise.plan.rate import OneTimer

SNAKEFILE = f"""
import json, sys
sys.path.insert(0, {str(ROOT / "workflow" / "scripts")!r})
from foldwise.plan.rate import rest
from snakemake.scheduling.job_scheduler import JobScheduler

looks = []
before = JobScheduler.job_selector

def looked(self, jobs):
    looks.append(len(jobs))
    return before(self, jobs)

JobScheduler.job_selector = looked

onstart:
    rest(workflow.scheduler, workflow.local_exec)

onsuccess:
    limit = workflow.scheduler.job_rate_limiter
    json.dump([looks, limit and limit.max_jobs], open("looks.json", "w"))

rule all:
    input: expand("made/{{number}}", number=range(6))

rule work:
    output: "made/{{number}}"
    shell: "sleep 0.4; touch {{output}}"
"""


@pytest.mark.parametrize(("asked", "limit"), [([], None), (["50/2s"], 50)], ids=["usual", "asked"])
def test_ready_jobs_are_looked_at_when_one_has_ended(tmp_path, asked, limit):
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--quiet", "all"]
    options = [f"--max-jobs-per-timespan={value}" for value in asked]
    subprocess.run([*command, *options], cwd=tmp_path, check=True, capture_output=True)
    looks, kept = json.loads((tmp_path / "looks.json").read_text())
    # One a job, `all` among them; a bound that was asked for adds one each of its timespans.
    assert len(looks) <= (7 if limit is None else 10)
    assert kept == limit


def test_one_timer_at_a_time(monkeypatch):
    now, asked = [10.0], []
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    timer = OneTimer(asked.append)
    for moment in (10.0, 10.3, 10.9, 11.0, 11.5):
        now[0] = moment
        timer(1)
    assert asked == [1, 1]
