"""The parent of warm jobs: a process that has imported what jobs import, and forks one for each.

Started by `foldwise.plan.warm.jobs` with a socket; requests and answers are lines of JSON:
`{"script", "cwd", "env"}` is answered by `{"pid"}`, and at the job's end by `{"pid", "exit"}`.
It ends with the driver. Libraries alone are imported here: the package's own code is read by each
job, so that an edit between two jobs counts.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import tempfile
import traceback
import weakref

# What most jobs import, heaviest first; one that is not installed is left out, as for cold jobs.
LIBRARIES = (
    "torch",
    "sklearn.metrics",
    "sklearn.linear_model",
    "scipy.stats",
    "scipy.sparse",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "cv2",
    "pydicom",
    "snakemake.script",
    "yaml",
    "jsonschema",
    "jinja2",
)
# Signals that reach a whole terminal or cluster job: the jobs obey them, their parent stays to tell
# how they ended, and goes when the driver has gone.
OUTLIVED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(descriptor: int, libraries: tuple[str, ...]) -> None:
    """Import, say so, and serve requests until the driver closes its end."""
    for name in OUTLIVED:
        signal.signal(name, signal.SIG_IGN)
    driver = socket.socket(fileno=descriptor)
    gc.disable()  # What is imported stays: a look for garbage in it takes a tenth of the time.
    for name in libraries:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    _refuse_started_gpu()
    forget_ends()
    # Collected objects would be copied into every child by the first collection there.
    gc.collect()
    gc.freeze()
    gc.enable()
    _send(driver, {"ready": os.getpid()})
    _serve(driver)


def forget_ends() -> None:
    """What the libraries imported so far would take apart at their end goes with each job's memory:
    torch alone would spend 40 ms on it. What a job itself is to end is ended: a folder of its own.
    """
    for finalizer in list(weakref.finalize._registry):
        finalizer.atexit = False


def _refuse_started_gpu() -> None:
    """A process in which CUDA has begun cannot be forked: every job on the GPU would fail."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        sys.exit("Warm jobs: an import has started CUDA here; jobs are started one by one.")


def _serve(driver: socket.socket) -> None:
    woken, wakes = os.pipe()
    for end in (woken, wakes):
        # A signal must not wait for room in the pipe, nor the loop for a byte that it has read.
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    # A handler that does nothing: an ignored SIGCHLD wakes nobody, and loses exit codes.
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    waiting = b""
    while True:
        ready, _, _ = select.select([driver, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _report_ends(driver)
        if driver in ready:
            received = driver.recv(1 << 16)
            if not received:
                os._exit(0)  # The driver has gone; jobs that still run end by themselves.
            *lines, waiting = (waiting + received).split(b"\n")
            for line in lines:
                _fork(driver, json.loads(line))


def _report_ends(driver: socket.socket) -> None:
    """Tell the driver of every job that has ended since; below 0 is the signal that ended it."""
    with contextlib.suppress(ChildProcessError):
        # Until there are no more: signals of several ends at once come as one.
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            pid, status = ended
            _send(driver, {"pid": pid, "exit": os.waitstatus_to_exitcode(status)})


def _send(driver: socket.socket, message: dict) -> None:
    # A driver that has just died is seen at the next read.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        driver.sendall(json.dumps(message).encode() + b"\n")


def _fork(driver: socket.socket, request: dict) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        _send(driver, {"pid": pid})
        return
    # The child's copy: while it is open, the driver would not see the parent end.
    driver.close()
    # Not `sys.exit`, which would unwind into the parent's loop, in the child.
    os._exit(_run(request))


def _run(request: dict) -> int:
    """Run a job's script as `python script` would, and return its exit status."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for name in OUTLIVED:
        signal.signal(name, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    tempfile.tempdir = None  # Asked anew: the job's own TMPDIR.
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()  # Unseeded draws differ between jobs, as in cold ones.
    sys.argv = [request["script"]]
    sys.path.insert(0, os.path.dirname(request["script"]))
    status = _status_of(request["script"])
    # No interpreter is torn down: memory goes with the process. What jobs registered is done.
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    return status


def _status_of(script: str) -> int:
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    main(int(sys.argv[1]), tuple(sys.argv[2:]))
