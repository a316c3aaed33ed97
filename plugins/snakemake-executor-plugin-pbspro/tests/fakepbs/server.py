"""A made-up PBS server: answers qsub, qselect, qstat and qdel over a socket, with faults on demand.

    python server.py FOLDER [NUMBER]   serves FOLDER/socket until SIGTERM, which ends its jobs too

Jobs are forked by what listens at the open socket of this number, if any (forked.py).

FOLDER/faults.json is read at every request and every turn of the scheduler:
    down: true           no connection            slow: seconds     each answer takes so long
    unknown: [numbers]   qstat knows them not      history: false    finished jobs are forgotten
    refuse: [code, text] of qsub                   lost: n           n submissions without an answer
    stuck: true          qdel has no effect        hold: true        nothing is started
    hide: [paths, s]     files of ended jobs show s seconds late     hook: {VAR: value}
    blind: true          nodes do not see the folder
    typed: true            the jobs' Snakemake is started as on a node, in place of being forked
    deleted_as: n        Exit_status of jobs deleted while they run (271)
"""

import json
import signal
import socket
import socketserver
import sys
import threading
import time
from pathlib import Path

import answers
import jobs

DEFAULTS = {
    "queues": {"cpuq": {}, "gpuq": {}, "short": {"walltime": 600, "ncpus": 4}},
    "ncpus": 64,
    "ngpus": 2,
    "walltime_scale": 1.0,
    "kill_delay": 10.0,
    "cycle": 0.05,
    "delays": {},  # seconds that an answer takes, by command
    "stub": "",  # a program that is run in place of `python -m snakemake`, to try scale alone
}


class Server:
    """State of the server; every method that answers returns (code, stdout, stderr)."""

    def __init__(self, folder: Path, parent: socket.socket | None):
        self.folder, self.parent = folder, parent
        self.settings = DEFAULTS | read(folder / "settings.json")
        self.jobs: dict[str, jobs.Job] = {}
        self.count = 0
        self.lock = threading.RLock()
        self.running = True
        self.lost = 0
        for name in ("home", "tmp", "bin"):
            (folder / name).mkdir(exist_ok=True)

    def faults(self) -> dict:
        return read(self.folder / "faults.json")

    def answer(self, command: str, arguments: list[str], user: str) -> tuple[int, str, str]:
        faults = self.faults()
        with open(self.folder / "calls.log", "a") as calls:
            calls.write(json.dumps([time.time(), command, arguments]) + "\n")
        time.sleep(faults.get("slow", 0) + self.settings["delays"].get(command, 0))
        if faults.get("down"):
            message = f"Connection refused\n{command}: cannot connect to server fake (errno=111)\n"
            return 255 if command == "qstat" else 162, "", message
        with self.lock:
            return getattr(answers, command)(self, arguments, user, faults)

    def schedule(self) -> None:
        """Start what fits, look at what runs, forget what has ended if history is off."""
        while self.running:
            time.sleep(self.settings["cycle"])
            with self.lock:
                self.turn(self.faults())

    def turn(self, faults: dict) -> None:
        scale, delay = self.settings["walltime_scale"], self.settings["kill_delay"]
        free = self.settings["ncpus"] - sum(j.ncpus for j in self.jobs.values() if j.state == "R")
        for job in list(self.jobs.values()):
            if job.state == "R" and jobs.watch(job, scale, delay):
                self.conceal(faults)
            elif job.state == "Q" and job.ngpus > self.settings["ngpus"]:
                job.comment = (
                    "Can Never Run: Insufficient amount of resource: ngpus "
                    f"(R: {job.ngpus} A: 2 T: {self.settings['ngpus']})"
                )
            elif job.state == "Q" and not faults.get("hold") and job.ncpus <= free:
                free -= job.ncpus
                jobs.start(job, self.folder, faults.get("hook", {}), self.parent)
            if job.state == "F" and faults.get("history") is False:
                del self.jobs[job.id]

    def end_jobs(self) -> None:
        """Leave no process behind."""
        self.running = False
        with self.lock:
            for job in self.jobs.values():
                if job.state == "R":
                    jobs.send(job, signal.SIGKILL)

    def conceal(self, faults: dict) -> None:
        """Files that a network disk shows late: moved away, and back after some seconds."""
        paths, seconds = faults.get("hide", ([], 0))
        for path in map(Path, paths):
            if path.exists():
                away = path.with_name(f".hidden.{path.name}")
                path.rename(away)
                threading.Timer(seconds, away.rename, [path]).start()


def read(path: Path) -> dict:
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


class Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        command, arguments, user = json.loads(self.rfile.readline())
        self.wfile.write(json.dumps(self.server.state.answer(command, arguments, user)).encode())


class Listener(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 256


def main(folder: Path, parent: socket.socket | None) -> None:
    state = Server(folder, parent)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    threading.Thread(target=state.schedule, daemon=True).start()
    try:
        with Listener(str(folder / "socket"), Handler) as listener:
            listener.state = state
            listener.serve_forever()
    finally:
        state.end_jobs()


if __name__ == "__main__":
    sockets = [socket.socket(fileno=int(number)) for number in sys.argv[2:]]
    main(Path(sys.argv[1]), *sockets or [None])
