"""Drivers and jobs forked from a process that has imported Snakemake, which is most of what a start
takes.

A driver so made is a process as any other: a session of its own, its own environment and signals,
its output in its log. Its exit status comes by a pipe, since it is no child of the tests. A job is
the script that PBS was given, in a session with a process that becomes the inner Snakemake when the
script asks for it (fakepbs/inner.py), so that limits and signals reach it as one that was typed.
"""

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
from pathlib import Path

PLUGIN = Path(__file__).parents[1]


class Driver:
    """What tests use of `subprocess.Popen`: `pid`, `poll` and `wait`."""

    def __init__(self, pipe: int):
        self.pipe = os.fdopen(pipe)
        self.pid = int(self.pipe.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired("snakemake", timeout or 0)
        return code

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self.pipe], [], [], timeout)[0]:
            self.returncode = int(self.pipe.readline())
            self.pipe.close()
        return self.returncode


def fork(parent: socket.socket, request: dict, log: int) -> Driver:
    """What the process at the other end of a socket forks for a request."""
    ends, pipe = os.pipe()
    socket.send_fds(parent, [json.dumps(request).encode()], [log, pipe])
    os.close(pipe)
    return Driver(ends)


class Parent:
    """The process that has imported Snakemake."""

    def __init__(self) -> None:
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())],
            env=os.environ | {"PYTHONPATH": str(PLUGIN)},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
        )
        theirs.close()
        atexit.register(self.close)

    def start(self, arguments: list[str], folder: Path, log: int, env: dict[str, str]) -> Driver:
        """Snakemake with these arguments in a folder, its output into an open file."""
        request = {"arguments": arguments, "cwd": str(folder), "env": env}
        return fork(self.socket, request, log)

    def close(self) -> None:
        self.socket.close()
        self.process.wait()


@functools.cache
def parent() -> Parent:
    """One for all tests of this process."""
    return Parent()


def serve(number: int) -> None:
    """Fork a driver for each request, until the tests have gone."""
    from snakemake.cli import get_argument_parser

    get_argument_parser()  # It imports the plug-ins.
    importlib.import_module("snakemake.storage")  # Each run does, and only once the rest is there.
    gc.collect()
    gc.freeze()
    tests = socket.socket(fileno=number)
    while True:
        message, descriptors, _, _ = socket.recv_fds(tests, 1 << 20, 2)
        reap(os.WNOHANG if message else 0)
        if not message:
            return
        if not os.fork():
            tests.close()
            watch(json.loads(message), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def reap(how: int) -> None:
    """Take the ends of those that watch drivers, so that what they used counts as the tests'."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, how)[0]:
            pass


def watch(request: dict, log: int, pipe: int) -> None:
    """Fork the driver or job, tell its number and, at its end, its exit status."""
    pid = os.fork()
    if not pid:
        os.close(pipe)
        os._exit(run_job(request, log) if "script" in request else drive(request, log))
    os.write(pipe, b"%d\n" % pid)
    os.write(pipe, b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    os._exit(0)


def drive(request: dict, log: int) -> int:
    """One driver, as `python -m snakemake` would do it; returns its exit status."""
    settle(request, log)
    return snakemake(request["arguments"])


def run_job(request: dict, log: int) -> int:
    """The script of a job, and beside it what becomes its Snakemake."""
    settle(request, log)
    os.umask(request["umask"])
    inner = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    inner.bind(f"\0pbs job {os.getpid()}")
    inner.listen(1)
    if not os.fork():
        os._exit(stand_by(inner))
    inner.close()
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)  # Python ignores them, and bash would go on so.
    os.execv("/bin/bash", ["/bin/bash", request["script"]])


def stand_by(inner: socket.socket) -> int:
    """Become what the script asks for, with its files, variables and folder."""
    asked, _ = inner.accept()
    inner.close()
    message, streams, _, _ = socket.recv_fds(asked, 1 << 20, 3)
    request = json.loads(message)
    os.umask(request["umask"])
    for stream, descriptor in enumerate(streams):
        os.dup2(descriptor, stream)
        os.close(descriptor)
    enter(request)
    status = snakemake(request["arguments"])
    asked.send(b"%d" % status)
    return status


def settle(request: dict, log: int) -> None:
    """A session with signals as at its start, its output in the log."""
    os.setsid()
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.close(log)
    enter(request)


def enter(request: dict) -> None:
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])


def snakemake(arguments: list[str]) -> int:
    """Snakemake in this process, to the end of the process."""
    from snakemake.cli import main

    sys.argv = ["snakemake", *arguments]
    status = 0
    try:
        main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return status


if __name__ == "__main__":
    serve(int(sys.argv[1]))
