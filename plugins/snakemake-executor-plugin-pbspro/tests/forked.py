"""Drivers forked from a process that has imported Snakemake, which is most of what a start takes.

A driver so made is a process as any other: a session of its own, its own environment and signals,
its output in its log. Its exit status comes by a pipe, since it is no child of the tests.
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
        ends, told = os.pipe()
        request = {"arguments": arguments, "cwd": str(folder), "env": env}
        socket.send_fds(self.socket, [json.dumps(request).encode()], [log, told])
        os.close(told)
        return Driver(ends)

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


def watch(request: dict, log: int, told: int) -> None:
    """Fork the driver, tell its number and, at its end, its exit status."""
    pid = os.fork()
    if not pid:
        os.close(told)
        os._exit(drive(request, log))
    os.write(told, b"%d\n" % pid)
    os.write(told, b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    os._exit(0)


def drive(request: dict, log: int) -> int:
    """One driver, as `python -m snakemake` would do it; returns its exit status."""
    from snakemake.cli import main

    os.setsid()
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.close(log)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    sys.argv = ["snakemake", *request["arguments"]]
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
