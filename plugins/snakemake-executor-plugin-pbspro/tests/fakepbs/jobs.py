"""Jobs of the made-up server: queued, run as processes, killed as PBS kills."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
import forked


@dataclass
class Job:
    """One job; states and numbers as `qstat -f` shows them."""

    id: str
    name: str
    queue: str
    script: str
    options: dict
    ncpus: int
    ngpus: int
    mem_kb: int
    walltime: int
    user: str
    made: float = field(default_factory=time.time)
    state: str = "Q"
    substate: int = 10
    comment: str = ""
    exit_status: int | None = None
    process: subprocess.Popen | forked.Driver | None = None
    started: float = 0.0
    ended: float = 0.0
    peak_kb: int = 0
    home: str = ""
    typed: bool = False  # its Snakemake is started as on a node, not forked
    killing: tuple | None = None  # (Exit_status to be, words for the comment, time of SIGKILL)


def start(job: Job, folder: Path, hook: dict, parent: socket.socket | None) -> None:
    """Start a job as a MoM does: clean environment, $HOME, own session, log at its final place.

    `parent`: what forks it, see forked.py.
    """
    job.state, job.substate, job.started = "R", 42, time.time()
    stamp = time.strftime("%a %b %d at %H:%M", time.localtime())
    job.comment = f"Job run at {stamp} on (node1:ncpus={job.ncpus})"
    job.home = str(folder / "home")
    temporary = folder / "tmp" / f"pbs.{job.id}"
    temporary.mkdir(parents=True, exist_ok=True)
    environment = {
        "HOME": str(folder / "home"),
        "USER": job.user,
        "LOGNAME": job.user,
        "PATH": f"{folder / 'bin'}:/usr/bin:/bin",
        "PBS_JOBID": job.id,
        "PBS_ENVIRONMENT": "PBS_BATCH",
        "TMPDIR": str(temporary),
        "OMP_NUM_THREADS": str(job.ncpus),
        **hook,
    }
    log = job.options.get("-o", "/dev/null")
    target = log if Path(log).parent.is_dir() else os.devnull
    umask = int(job.options.get("umask", "077"), 8)
    with open(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o666 & ~umask), "ab") as out:
        if parent and not job.typed:
            request = {"script": job.script, "cwd": job.home, "env": environment, "umask": umask}
            job.process = forked.fork(parent, request, out.fileno())
            return
        job.process = subprocess.Popen(
            ["/bin/bash", job.script],
            cwd=job.home,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            umask=umask,
        )


def members(session: int) -> list[tuple[int, int]]:
    """(pid, resident kB) of the processes of a session."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                fields = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                found.append((int(name), int(fields[21]) * os.sysconf("SC_PAGE_SIZE") >> 10))
    return found


def send(job: Job, number: int) -> None:
    for pid, _ in members(job.process.pid):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def kill(job: Job, status: int, words: str, delay: float) -> None:
    """SIGTERM now, SIGKILL after the delay."""
    job.killing = (status, words, time.time() + delay)
    send(job, signal.SIGTERM)


def note(job: Job, text: str) -> None:
    """The line that PBS leaves in a job's log."""
    log = Path(job.options.get("-o", "/dev/null"))
    if log.parent.is_dir():
        with open(log, "a") as stream:
            stream.write(f"=>> PBS: job killed: {text}\n")


def watch(job: Job, scale: float, delay: float) -> bool:
    """One look at a running job: limits, kills under way, its end. True when it has ended."""
    code = job.process.poll()
    if code is None:
        used = time.time() - began(job)
        now_kb = sum(kb for _, kb in members(job.process.pid))
        job.peak_kb = max(job.peak_kb, now_kb)
        if job.killing and time.time() > job.killing[2]:
            send(job, signal.SIGKILL)
        elif not job.killing and job.walltime and used > job.walltime * scale:
            note(job, f"walltime {used / scale:.0f} exceeded limit {job.walltime}")
            kill(job, -29, "exceeded resource walltime", delay)
        elif not job.killing and job.mem_kb and now_kb > job.mem_kb:
            note(job, f"mem {now_kb}kb exceeded limit {job.mem_kb}kb")
            kill(job, -27, "exceeded resource mem", 0)
        return False
    send(job, signal.SIGKILL)  # what the script left behind
    job.ended = time.time()
    with open(Path(job.home).parent / "ends.log", "a") as stream:
        stream.write(f"{job.ended} {job.id} {job.name}\n")
    job.state = "F"
    if job.killing:
        job.exit_status, words, _ = job.killing
    else:
        job.exit_status = code if code >= 0 else 256 - code
        words = "finished" if code == 0 else "failed"
    job.substate = 91 if "terminated" in words else 92 if job.exit_status == 0 else 93
    job.comment += f" and {words}"
    return True


def began(job: Job) -> float:
    """When the clock of the walltime started: as the job touches ~/clock.<id>, so that no test
    depends on how busy the machine is."""
    marker = Path(job.home, f"clock.{job.id}")
    return marker.stat().st_mtime if marker.exists() else time.time()


def megabytes(text: str) -> int:
    """`100mb` and the like as kB; raises ValueError for forms that PBS refuses."""
    found = re.fullmatch(r"(\d+)(b|kb|mb|gb|tb|)", text, re.I)
    if not found:
        raise ValueError(text)
    scale = {"": 1 / 1024, "b": 1 / 1024, "kb": 1, "mb": 1024, "gb": 1 << 20, "tb": 1 << 30}
    return int(int(found[1]) * scale[found[2].lower()])


def clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
