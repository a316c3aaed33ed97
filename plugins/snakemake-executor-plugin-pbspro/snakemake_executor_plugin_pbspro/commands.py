"""The PBS commands: one place that knows their arguments, return codes and forms of output."""

import json
import os
import pwd
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable

from snakemake_interface_common.exceptions import WorkflowError

# qsub and qselect: no connection, stale credential, connection cut. The next attempt may pass.
PASSING = {162, 171, 183, 255}
UNKNOWN_JOB, FINISHED_JOB = 153, 35
# Refusals that end by themselves when other jobs of the user do.
FULL = re.compile(r"would exceed|maximum number of jobs|too many jobs|max_queued|max_run", re.I)
HINTS = {
    32: "The site's own rules refused it: `pbspro-project`, `-account` and `-queue` in the profile "
    "are what they mostly look at.",
    159: "You may not use this queue or project: check `pbspro-project`, `-account` and `-queue`.",
    166: "PBS did not accept a value: check threads, mem_mb, runtime and the profile's extras.",
    170: "`qstat -Q` lists the queues: set `pbspro-queue` and `pbspro-gpu-queue` in the profile.",
    173: "The queue takes no jobs now: `qstat -Q` lists others, or wait and start again.",
    187: "This site has no such resource: `pbspro-gpu-resource`, `-chunk` and `-extra` name some.",
    188: "The queue can never satisfy this: `qstat -Qf` shows its limits. Lower threads, mem_mb or "
    "runtime (set-resources in the profile), or set `pbspro-max-walltime`.",
}


class NotNow(Exception):
    """No usable answer this time: jobs are as they were, and it may be asked again."""


class Refused(Exception):
    """The server will not take this job."""


def key(job_id: str) -> str:
    """The number of a job: servers print its own name in more than one form after the dot."""
    return job_id.split(".", 1)[0]


class Pbs:
    """A PBS server as its commands show it. Every method is one connection."""

    def __init__(self, patience: int):
        absent = [name for name in ("qsub", "qselect", "qstat", "qdel") if not shutil.which(name)]
        if absent:
            raise WorkflowError(
                f"No {', '.join(absent)} on the PATH: this is not a PBS machine, or PBS is not set "
                "up in this shell. Log in to a submission node, or load the site's PBS module."
            )
        self.user = pwd.getpwuid(os.getuid()).pw_name
        self.patience = patience
        self.keeps_history: bool | None = None

    def run(self, *command: str, patience: int = 0) -> subprocess.CompletedProcess:
        """Run one command. Its own session keeps Ctrl-C in the terminal from killing it."""
        how = {"capture_output": True, "text": True, "errors": "replace", "start_new_session": True}
        how |= {"stdin": subprocess.DEVNULL, "timeout": patience or self.patience}
        try:
            return subprocess.run(command, **how)
        except subprocess.TimeoutExpired as error:
            raise NotNow(f"{command[0]} gave no answer in {error.timeout:.0f} s") from error
        except OSError as error:
            raise NotNow(f"{command[0]}: {error}") from error

    def answer(self, *command: str) -> str:
        """What a query prints; anything but success is a server that did not answer."""
        done = self.run(*command)
        if done.returncode:
            raise NotNow(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def jobs(self, *which: str) -> list[str]:
        """Ids of this user's jobs that are queued or running."""
        return self.answer("qselect", "-u", self.user, *which).split()

    def submit(self, options: list[str]) -> str:
        """Submit and return the id. Raises Refused, or NotNow when it may be tried again."""
        done = self.run("qsub", *options)
        if done.returncode == 0 and done.stdout.strip():
            return done.stdout.split()[-1]
        message = (done.stderr or done.stdout).strip() or "nothing"
        if done.returncode in PASSING or FULL.search(message):
            raise NotNow(f"qsub ended with {done.returncode}: {message}")
        command = shlex.join(["qsub", *options])
        hint = HINTS.get(done.returncode, "That is all PBS said; `man qsub` lists its options.")
        raise Refused(f"PBS refused it ({done.returncode}): {message}\n{hint}\nCommand: {command}")

    def facts(self, job_id: str) -> dict | None:
        """What the server knows of one job; None when it knows it no more."""
        if self.keeps_history is None:
            setting = re.search(r"job_history_enable\s*=\s*(\w+)", self.answer("qstat", "-Bf"))
            self.keeps_history = bool(setting) and setting[1].lower() in ("true", "1")
        past = ["-x"] if self.keeps_history else []
        done = self.run("qstat", *past, "-f", "-F", "json", job_id)
        if done.returncode in (UNKNOWN_JOB, FINISHED_JOB):
            return None
        if done.returncode:
            raise NotNow(f"qstat ended with {done.returncode}: {done.stderr.strip()}")
        return parse_facts(done.stdout)

    def delete(self, job_ids: Iterable[str]) -> str:
        """Ask for the end of jobs, all in one connection. What PBS objected to, if anything."""
        try:
            done = self.run("qdel", *job_ids, patience=max(60, self.patience))
        except NotNow as error:
            return str(error)
        return done.stderr.strip() if done.returncode not in (0, UNKNOWN_JOB, FINISHED_JOB) else ""


def parse_facts(text: str) -> dict | None:
    """Attributes of the one job in `qstat -f -F json`; None when there is none.

    PBS prints some values unquoted or with stray backslashes; then the few fields that matter
    are read one by one.
    """
    try:
        return next(iter(json.loads(text or "{}", strict=False).get("Jobs", {}).values()), None)
    except json.JSONDecodeError:
        wanted = r'"(job_state|substate|comment|Exit_status)":\s*"?([^",}\n]*)'
        facts = dict(re.findall(wanted, text))
        for group in ("resources_used", "Resource_List"):
            inner = re.search(rf'"{group}":\s*{{([^}}]*)}}', text)
            facts[group] = dict(re.findall(r'"(\w+)":\s*"?([^",\n]*)', inner[1] if inner else ""))
        return facts if "job_state" in facts else None
