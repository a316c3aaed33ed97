"""Warm jobs: small jobs of one machine fork from a process that has imported already.

Starting Python and importing PyTorch costs a job seconds that a fork does not. Snakemake keeps all
that it does around a job's script: log, benchmark, resources, retries, failure. Only the step from
the script's file to a process is another, and only where nothing hangs on a fresh process: one
thread (threads are fixed when libraries load), no conda environment, container or shadow folder.
Standard library and Snakemake alone: rule files import this.
"""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from foldwise.plan.warm.parent import LIBRARIES

# Jobs below which starting the parent costs more than it saves (its imports take some seconds).
LEAST_JOBS = 5
# What Snakemake itself sets for a process of so many threads.
THREADS = (
    "OMP_NUM_THREADS",
    "GOTO_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
PARENT = Path(__file__).with_name("parent.py")


class ParentLost(Exception):
    """The parent has died: whether its jobs still run is not known."""


class WarmParent:
    """The driver's side of the parent: ask for a job, wait for its end."""

    def __init__(self, *libraries: str) -> None:
        ours, theirs = socket.socketpair()
        environment = os.environ | dict.fromkeys(THREADS, "1")
        self.process = subprocess.Popen(
            # -P: without it the script's folder comes first, and its modules would hide others.
            [sys.executable, "-P", str(PARENT), str(theirs.fileno()), *libraries],
            env=environment,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
        )
        # Open here too, the parent's death would never be an end of file.
        theirs.close()
        self._socket, self._asking = ours, threading.Lock()
        self._changed = threading.Condition()
        self._born: list[int] = []
        self._ends: dict[int, int] = {}
        self.ready = self._lost = False
        threading.Thread(target=self._listen, name="warm jobs", daemon=True).start()

    def start(self, script: str, environment: dict[str, str], cwd: str) -> int:
        """Fork a job that runs `script`; returns its process number. Raises ParentLost."""
        request = {"script": script, "env": environment, "cwd": cwd}
        with self._asking:  # One request at a time: the next number told is this job's.
            try:
                self._socket.sendall(json.dumps(request).encode() + b"\n")
            except OSError as error:
                raise ParentLost from error
            with self._changed:
                self._changed.wait_for(lambda: self._born or self._lost)
                if not self._born:
                    raise ParentLost
                return self._born.pop()

    def wait(self, pid: int) -> int:
        """The exit status of a job once it has ended, below 0 for a signal. Raises ParentLost."""
        with self._changed:
            self._changed.wait_for(lambda: pid in self._ends or self._lost)
            if pid not in self._ends:
                raise ParentLost
            return self._ends.pop(pid)

    def close(self) -> None:
        """Let the parent go; its jobs go on."""
        # Not `close` alone: the listening thread holds the socket open.
        self._socket.shutdown(socket.SHUT_RDWR)
        self.process.wait()

    def _listen(self) -> None:
        with self._socket.makefile("rb") as answers:
            for line in answers:
                self._note(json.loads(line))
        with self._changed:
            self.ready, self._lost = False, True
            self._changed.notify_all()

    def _note(self, answer: dict[str, int]) -> None:
        with self._changed:
            if "ready" in answer:
                self.ready = True
            elif "exit" in answer:
                self._ends[answer["pid"]] = answer["exit"]
            else:
                self._born.append(answer["pid"])
            self._changed.notify_all()


def install(jobs: int, libraries: tuple[str, ...] = ()) -> WarmParent | None:
    """Have the Python scripts of this process's jobs forked, if they are enough to be worth it.

    `libraries`: what these jobs import beyond what most do. `FOLDWISE_WARM=0` switches it off, 1
    keeps it on for any number of jobs. Until the parent has imported, jobs start as ever.
    """
    least = 1 if os.environ.get("FOLDWISE_WARM") == "1" else LEAST_JOBS
    if os.environ.get("FOLDWISE_WARM") == "0" or jobs < least or not hasattr(os, "fork"):
        return None
    from snakemake.script import PythonScript

    parent = WarmParent(*LIBRARIES, *libraries)
    # One method of Snakemake is replaced: all that it does before and after stays its own.
    PythonScript.execute_script = _forked(PythonScript.execute_script, parent)
    return parent


def _forked(cold: Callable[..., None], parent: WarmParent) -> Callable[..., None]:
    """`PythonScript.execute_script` by way of the parent, where that changes nothing."""

    def execute_script(self: Any, fname: str, edit: bool = False) -> None:
        elsewhere = self.conda_env or self.container_img or self.env_modules or self.shadow_dir
        if not parent.ready or elsewhere or self.threads != 1:
            cold(self, fname, edit=edit)
        else:
            _execute(self, fname, parent)

    return execute_script


def _execute(script: Any, fname: str, parent: WarmParent) -> None:
    environment = os.environ | dict.fromkeys(THREADS, "1")
    folder = script.resources.get("tmpdir")
    if folder:
        environment |= dict.fromkeys(("TMPDIR", "TMP", "TEMPDIR", "TEMP"), folder)
    command = f"{sys.executable} {fname}"
    try:
        pid = parent.start(os.path.abspath(fname), environment, os.getcwd())
        status = _measured(script.bench_record, pid, parent)
    except ParentLost:
        # A second process on the same outputs is the greater evil: the job has failed.
        raise subprocess.CalledProcessError(1, command) from None
    if status:
        raise subprocess.CalledProcessError(status, command)


def _measured(record: Any, pid: int, parent: WarmParent) -> int:
    """Wait for a job, with Snakemake's own measurement of it where the rule has a benchmark."""
    if record is None:
        return parent.wait(pid)
    from snakemake.benchmark import benchmarked

    with benchmarked(pid, record):
        return parent.wait(pid)
