"""A server that is down, slow or loses answers; Ctrl-C; drivers that die and are started again."""

import os
import re
import signal
import subprocess
import sys
import time

from pbs_cluster import LIMIT, WAITING, begun, go


def test_server_down_slow_and_an_answer_lost(workflow, cluster):
    cluster.faults(down=True)
    flow = workflow(WAITING)
    driver = flow.start()
    flow.until(r"PBS: qsub ended with 162[^$]*cannot connect")
    time.sleep(1)
    cluster.faults(lost=1, slow=0.3)
    begun(flow)
    flow.until(r"(?s)(Submitted one.*){2}")
    flow.until(r"(?s)183.*PBS answers again")
    cluster.faults(down=True)
    flow.until("PBS: qselect ended with 162")
    go(flow)
    time.sleep(2)
    cluster.faults(slow=0.3)
    assert driver.wait(LIMIT) == 0, flow.log.read_text()
    assert flow.starts() == ["0", "1"]
    assert "PBS answers again after" in flow.log.read_text()
    accepted = len(list(cluster.folder.glob("*.SC")))
    assert accepted == 2


def test_ctrl_c_during_a_poll_leaves_nothing(workflow, cluster):
    flow = workflow(WAITING)
    flow.start()
    begun(flow)
    before = len(cluster.calls("qselect"))
    cluster.faults(slow=2)
    while len(cluster.calls("qselect")) == before:
        time.sleep(0.02)
    assert flow.send_signal(signal.SIGINT) == 1
    output = flow.log.read_text()
    assert "Deleted 2 PBS jobs: none is left on the cluster." in output
    cluster.faults()
    assert cluster.queued() == []
    assert len(cluster.calls("qdel")) == 1
    assert "failed:" not in output
    go(flow)
    code, output = flow.run()
    assert code == 0 and "Found" not in output, output


def test_what_cannot_be_cancelled_is_said_and_dealt_with_later(workflow, cluster):
    flow = workflow(WAITING)
    flow.start("--pbspro-patience", "3")
    begun(flow)
    cluster.faults(stuck=True)
    assert flow.send_signal(signal.SIGINT) == 1
    output = flow.log.read_text()
    ids = re.search(r"NOT CANCELLED, 2 jobs may still run or start: (.*)", output)[1].split()
    assert sorted(ids) == [f"{n}.fake" for n in range(1, 3)]
    assert set(cluster.queued()) == set(ids)
    cluster.faults()
    go(flow)  # the driver must delete them all the same: they were given up
    code, output = flow.run()
    assert code == 0, output


def test_driver_killed_and_started_again(workflow, cluster):
    flow = workflow(WAITING)
    flow.start("--retries", "0")
    begun(flow)
    flow.send_signal(signal.SIGKILL)
    local = [sys.executable, "-m", "snakemake", "--cores", "1"]
    alone = subprocess.run(local, cwd=flow.folder, capture_output=True, text=True, timeout=LIMIT)
    assert alone.returncode == 1 and "cannot be locked" in alone.stderr
    # While no driver looks: one is deleted, the others go on.
    cluster.command("qdel", "1")
    time.sleep(1.5)
    driver = flow.start()
    flow.until("Found one.* again")
    go(flow)
    assert driver.wait(LIMIT) == 0, flow.log.read_text()
    taken = flow.starts()
    assert len(taken) == 3 and set(taken) == {"0", "1"}
    # The records are complete: nothing is stale, nothing is unknown.
    code, output = flow.run("--rerun-triggers", "params", "mtime", "input", "code")
    assert code == 0 and "Nothing to be done" in output and "metadata" not in output, output
    assert not os.listdir(flow.folder / ".snakemake/pbspro/jobs")


def test_jobs_that_end_while_no_driver_looks(workflow, cluster):
    flow = workflow(WAITING)
    (flow.folder / "fail1").touch()
    flow.start()
    begun(flow)
    flow.send_signal(signal.SIGKILL)
    go(flow)
    while cluster.queued():
        time.sleep(0.1)
    (flow.folder / "fail1").unlink()
    code, output = flow.run()
    assert code == 0, output
    assert flow.starts() == ["0", "1", "1"]
    code, output = flow.run()
    assert "Nothing to be done" in output and "metadata" not in output, output


def test_changed_settings_replace_running_jobs(workflow, cluster):
    flow = workflow(WAITING)
    flow.start("--config", "size=1")
    begun(flow)
    flow.send_signal(signal.SIGKILL)
    for n in range(2):
        (flow.folder / f"began{n}").unlink()
    driver = flow.start("--config", "size=2")
    begun(flow)
    assert (
        len(cluster.queued()) == 2
        and flow.log.read_text().count("given up or has other inputs") == 2
    )
    go(flow)
    assert driver.wait(LIMIT) == 0
    assert len(flow.starts()) == 4


def test_a_changed_job_that_cannot_be_deleted_has_no_second_writer(workflow, cluster):
    flow = workflow(WAITING)
    flow.start("--config", "size=1")
    begun(flow)
    flow.send_signal(signal.SIGKILL)
    cluster.faults(stuck=True)
    code, output = flow.run("--config", "size=2", "--pbspro-patience", "3")
    assert code == 1 and "NOT CANCELLED, 1 jobs" in output, output
    assert "Nothing is submitted that two jobs would write" in output and "Traceback" not in output
    assert flow.starts() == ["0", "1"]
    cluster.faults()
    go(flow)
    code, output = flow.run("--config", "size=2")
    assert code == 0 and len(flow.starts()) == 4, output


def test_sigterm_and_sighup_leave_jobs_running(workflow, cluster):
    flow = workflow(WAITING)
    flow.start()
    begun(flow)
    for number in (signal.SIGTERM, signal.SIGHUP):
        assert flow.send_signal(number) == 1
        assert "this driver ends, its 2 jobs go on" in flow.log.read_text()
        assert len(cluster.queued()) == 2
        driver = flow.start()
        flow.until(r"(?s)(Found one.* again.*){2}")
    go(flow)
    assert driver.wait(LIMIT) == 0, flow.log.read_text()
    assert flow.starts() == ["0", "1"]


def test_second_driver_is_refused(workflow, cluster):
    flow = workflow(WAITING)
    first = flow.start()
    begun(flow)
    code, output = flow.run()
    assert code == 1 and "Another driver works in this folder: process" in output
    go(flow)
    assert first.wait(LIMIT) == 0
    assert flow.starts() == ["0", "1"]


def test_no_pbs_commands(workflow, cluster):
    flow = workflow(WAITING)
    for name in ("qsub", "qselect"):
        (cluster.bin / name).unlink()
    # Nor those of a PBS that is installed on this machine.
    code, output = flow.run(PATH=f"{cluster.bin}:/usr/bin:/bin")
    assert code == 1 and "No qsub, qselect on the PATH" in output and "Traceback" not in output


def test_an_expired_project(workflow, cluster):
    # As a site's hook refuses it; a live server gives its own words with code 32.
    cluster.faults(refuse=[32, "Project lab ended on 2026-01-31. Ask for a renewal."])
    flow = workflow(WAITING)
    code, output = flow.run("--pbspro-project", "lab")
    assert code == 1 and "Project lab ended on 2026-01-31" in output
    assert "`pbspro-project`" in output and "-P lab" in output
    assert cluster.queued() == [] and "Traceback" not in output
