"""For tests and benchmarks: a made-up PBS cluster, the live one where there is one, and a folder
with a workflow and the drivers that run it."""

import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from forked import Driver, parent

HERE = Path(__file__).parent / "fakepbs"
PLUGIN = Path(__file__).parents[1]
PROGRAMS = ("qsub", "qselect", "qstat", "qdel")
LIMIT = 200  # seconds that one run of a workflow may take on a busy machine
# Two jobs that wait for a file `go`; those with a file `fail<n>` then fail.
WAITING = """
rule all:
    input: expand("out/{n}.txt", n=range(2))
rule one:
    output: "out/{n}.txt"
    params: x=config.get("size", 1)
    shell: "echo {wildcards.n} >> starts; touch began{wildcards.n}; "
           "while [ ! -e go ]; do sleep 0.1; done; "
           "[ ! -e fail{wildcards.n} ]; touch {output}"
"""


class Cluster:
    """The made-up server in a process of its own."""

    def __init__(self, folder: Path, forked: bool = False, **settings):
        """`forked`: its jobs come of a process that has imported Snakemake, see forked.py."""
        self.folder = folder
        self.bin = folder / "client"
        self.bin.mkdir(parents=True)
        (folder / "settings.json").write_text(json.dumps(settings))
        for name in PROGRAMS:
            program = self.bin / name
            client = (
                f'#!/bin/sh\nexec {sys.executable} -S -E {HERE}/client.py {name} {folder} "$@"\n'
            )
            program.write_text(client)
            program.chmod(0o755)
        self.faults()
        sockets = [parent().socket.fileno()] if forked else []
        server = [sys.executable, "-E", str(HERE / "server.py"), str(folder), *map(str, sockets)]
        self.process = subprocess.Popen(server, pass_fds=sockets)
        while not (folder / "socket").exists():
            time.sleep(0.02)

    def faults(self, **faults) -> None:
        """Set the faults that hold from now on; none takes all away."""
        temporary = self.folder / "faults.tmp"
        temporary.write_text(json.dumps(faults))
        os.replace(temporary, self.folder / "faults.json")

    def calls(self, command: str) -> list[list[str]]:
        """Arguments of every call of a command so far."""
        lines = (self.folder / "calls.log").read_text().splitlines()
        return [call[2] for call in map(json.loads, lines) if call[1] == command]

    def command(self, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [str(self.bin / words[0]), *words[1:]], capture_output=True, text=True, timeout=30
        )

    def queued(self) -> list[str]:
        return self.command("qselect", "-u", user()).stdout.split()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


class Live:
    """The server that answers here. Its walltimes last as long as they say."""

    bin = Path(shutil.which("qsub") or "/bin/qsub").parent

    command = Cluster.command
    queued = Cluster.queued


def heed_hangup() -> None:
    """Tests started by nohup ignore SIGHUP, and a driver that inherits this rightly goes on."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Workflow:
    """A folder with a Snakefile, and drivers that run it on the cluster."""

    def __init__(self, folder: Path, cluster: Cluster, snakefile: str, forked: bool = False):
        """`forked`: drivers come of a process that has imported Snakemake, see forked.py."""
        self.folder, self.cluster, self.forked = folder, cluster, forked
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "Snakefile").write_text(snakefile)
        self.drivers: list[subprocess.Popen | Driver] = []

    def start(self, *options: str, poll: int = 1, **variables: str) -> subprocess.Popen | Driver:
        """Start a driver; its output goes to driver.<n>.log."""
        self.log = self.folder / f"driver.{len(self.drivers)}.log"
        arguments = ["--executor", "pbspro", "--jobs", "100", "--nolock", "--rerun-incomplete"]
        arguments += ["--pbspro-poll", str(poll), "--latency-wait", "5"]
        arguments += ["--pbspro-status-every", "1", *options]
        found = {"PATH": f"{self.cluster.bin}:{os.environ['PATH']}", "PYTHONPATH": str(PLUGIN)}
        environment = os.environ | found | variables
        with open(self.log, "w") as log:
            if self.forked:
                driver = parent().start(arguments, self.folder, log.fileno(), environment)
            else:
                driver = subprocess.Popen(
                    [sys.executable, "-m", "snakemake", *arguments],
                    cwd=self.folder,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    start_new_session=True,
                    preexec_fn=heed_hangup,
                )
        self.drivers.append(driver)
        return driver

    def run(self, *options: str, **more) -> tuple[int, str]:
        """Run a driver to its end: exit status and output."""
        driver = self.start(*options, **more)
        return driver.wait(LIMIT), self.log.read_text()

    def until(self, pattern: str, limit: float = 90) -> str:
        """Wait until the driver of the last start has said it."""
        end = time.monotonic() + limit
        while time.monotonic() < end and self.drivers[-1].poll() is None:
            text = self.log.read_text()
            if re.search(pattern, text):
                return text
            time.sleep(0.05)
        raise AssertionError(f"not said in {limit} s: {pattern}\n{self.log.read_text()}")

    def until_file(self, name: str, limit: float = 90) -> None:
        end = time.monotonic() + limit
        while not (self.folder / name).exists():
            alive = self.drivers[-1].poll() is None and time.monotonic() < end
            assert alive, f"no {name}\n{self.log.read_text()}"
            time.sleep(0.05)

    def send_signal(self, number: signal.Signals) -> int:
        """Send the last driver a signal and wait for its end."""
        os.killpg(self.drivers[-1].pid, number)
        return self.drivers[-1].wait(LIMIT)

    def job_id(self, name: str) -> str:
        """PBS id of the last job whose name begins so, as the driver told it."""
        return re.findall(rf"Submitted {name}\S* as PBS job (\S+)", self.log.read_text())[-1]

    def starts(self) -> list[str]:
        """What jobs wrote as they started: one line each, so that a second writer shows."""
        path = self.folder / "starts"
        return sorted(path.read_text().split()) if path.exists() else []

    def close(self) -> None:
        for driver in self.drivers:
            if driver.poll() is None:
                os.killpg(driver.pid, signal.SIGKILL)
                driver.wait()


def user() -> str:
    """Whose jobs these are, as PBS names the user."""
    return pwd.getpwuid(os.getuid()).pw_name


def go(flow: Workflow) -> None:
    """Let the jobs of WAITING end."""
    (flow.folder / "go").touch()


def begun(flow: Workflow) -> None:
    """Wait until both jobs of WAITING run."""
    for n in range(2):
        flow.until_file(f"began{n}")
