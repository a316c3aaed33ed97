"""The parts that need no run: reasons of ends, forms of output, requests, the guard."""

import json
import os
import subprocess
import time
from types import SimpleNamespace

import pytest
from snakemake_executor_plugin_pbspro import guard, reasons
from snakemake_executor_plugin_pbspro.commands import parse_facts
from snakemake_executor_plugin_pbspro.registry import Entry, Registry
from snakemake_executor_plugin_pbspro.request import job_name, request
from snakemake_executor_plugin_pbspro.settings import ExecutorSettings
from snakemake_interface_common.exceptions import WorkflowError

USED = {"resources_used": {"walltime": "00:01:05", "mem": "1040kb"}}
ASKED = {"Resource_List": {"walltime": "00:01:00", "mem": "1024kb", "ncpus": "2"}}


# State F as a live server gave it: Exit_status, words of the comment, what must be said.
@pytest.mark.parametrize(
    ("status", "comment", "reason"),
    [
        (3, "and failed", "exit status 3"),
        (-29, "and exceeded resource walltime", "walltime 00:01:05 of 00:01:00 requested"),
        (
            -27,
            "and exceeded resource mem",
            "mem exceeded; ask for more `mem_mb`. Used: walltime 00:01:05 of 00:01:00 requested, "
            "mem 1040kb of 1024kb requested. PBS says: Job run at noon and exceeded resource mem.",
        ),
        (-28, "and exceeded resource cput", "cput exceeded; ask for more `runtime`"),
        (-25, "and exceeded resource ncpus", "ask for more `threads`"),
        (-3, "", "PBS could not run it (Exit_status -3)"),
        (271, "and terminated by me@login", "ended by signal 15 (Terminated)."),
        (265, "and failed", "signal 9 (Killed). Used: walltime 00:01:05 of 00:01:00"),
        (137, "and failed", "ended by signal 9 (Killed)"),
        (None, "and terminated", "deleted before it ran"),
        (75, "and failed", "stepped back"),
        (76, "and failed", "does not see the working directory"),
    ],
)
def test_reasons(status, comment, reason):
    facts = {"job_state": "F", "comment": f"Job run at noon {comment}", **USED, **ASKED}
    if status is not None:
        facts["Exit_status"] = status
    assert reason in reasons.explain(None, facts, "")


@pytest.mark.parametrize("status", [0, 271])
def test_a_job_deleted_while_it_ran_is_no_success(status):
    facts = {"Exit_status": status, "substate": 91, "comment": "Job run and terminated by me@login"}
    assert not reasons.succeeded(facts)
    assert "deleted while it ran" in reasons.explain(143, facts, "")
    assert reasons.succeeded({"Exit_status": 0, "substate": 92})
    assert not reasons.succeeded(None)


def test_reasons_from_the_log_alone(tmp_path):
    log = tmp_path / "log"
    log.write_text("training\n=>> PBS: job killed: walltime 32 exceeded limit 15\n")
    reason = reasons.explain(1, None, str(log))
    assert reason == "PBS killed it: walltime 32 exceeded limit 15; ask for more `runtime`."
    assert "keeps no history" in reasons.explain(None, None, str(tmp_path / "none"))


def test_facts_from_json_that_is_none():
    whole = {"Jobs": {"1.s": {"job_state": "F", "Exit_status": -29, "comment": "x"}}}
    assert parse_facts(json.dumps(whole))["Exit_status"] == -29
    assert parse_facts("") is None
    broken = (
        '{"Jobs":{"1.s":{"job_state":"F","substate":93,"Account_Name":1e,\n"Exit_status":-27,'
        '"comment":"a b",'
        '"Variable_List":{"X":"\\q"},\n"resources_used":{"mem":"12kb"}}}}'
    )
    facts = parse_facts(broken)
    assert (facts["job_state"], int(facts["Exit_status"]), facts["comment"]) == ("F", -27, "a b")
    assert facts["resources_used"]["mem"] == "12kb"


def test_requests():
    site = ExecutorSettings(cpus_per_gpu=12, max_walltime=100, gpu_queue="gpuq", queue="cpuq")
    options = request(job(_cores=4, gpu=2, mem_mb=32000, runtime=60, attempt=2), site)
    assert options == [
        *("-l", "select=1:ncpus=24:ngpus=2:mem=32150mb"),
        *("-q", "gpuq", "-l", f"walltime={90 * 60}"),
    ]
    options = request(job(_cores=4, gpu=0, runtime=60, attempt=3), site)
    assert options == ["-l", "select=1:ncpus=4", "-q", "cpuq", "-l", "walltime=6000"]
    options = request(job(gpu=1, pbs_extra="-l place='a b'", pbs_queue="big"), site)
    assert options[2:] == ["-q", "big", "-l", "place=a b"]


def job(attempt=1, **resources):
    return SimpleNamespace(resources=resources, attempt=attempt, is_group=lambda: False)


@pytest.mark.parametrize("targets", [["a:x=1/2 @=é"], ["_a:"], ["1:"], ["a:b=" + "c" * 400]])
def test_names_that_qsub_takes(targets):
    name = job_name(targets, "0123456789ab")
    assert name[0].isalpha() and len(name) < 230 and name.isascii()
    assert not set("/=@ :") & set(name)


def test_a_registry_survives_its_driver(tmp_path):
    first = Registry(tmp_path / "pbspro")
    entry = Entry("5f", ["a:n=1"], "f", job_id="7.server", tries=1)
    first.save(entry)
    second = Registry(tmp_path / "pbspro")
    assert second.entries == {"5f": entry}
    (tmp_path / "pbspro/exits" / entry.token).write_text("3\n")
    assert second.exit_codes() == {entry.token: 3}
    second.remove(entry)
    assert Registry(tmp_path / "pbspro").entries == {}
    assert os.stat(tmp_path / "pbspro").st_mode & 0o077 == 0


def test_guard_on_another_machine(tmp_path):
    other = {"host": "elsewhere", "pid": os.getpid(), "born": 1, "locks": ["0.input.lock"]}
    path = tmp_path / "driver.json"
    path.write_text(json.dumps(other))
    with pytest.raises(WorkflowError, match=r"on elsewhere, last sign \d+ s ago"):
        guard.Guard(tmp_path, None, locked=True)
    os.utime(path, (time.time() - 400, time.time() - 400))
    taken = guard.Guard(tmp_path, None, locked=True)
    assert taken.me["locks"] == ["0.input.lock"]
    taken.release(jobs_remain=True)
    guard.Guard(tmp_path, None, locked=True).release(jobs_remain=False)
    assert not path.exists()


def test_a_pid_that_was_given_away_is_no_driver(tmp_path):
    child = subprocess.Popen(["sleep", "30"])
    me = {"host": os.uname().nodename, "pid": child.pid, "born": guard.born(child.pid)}
    (tmp_path / "driver.json").write_text(json.dumps(me | {"locks": []}))
    with pytest.raises(WorkflowError, match="Another driver"):
        guard.Guard(tmp_path, None, locked=True)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, and still in the list
    guard.Guard(tmp_path, None, locked=True)
    child.wait()
