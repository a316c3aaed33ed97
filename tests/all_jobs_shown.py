"""Snakemake, telling each job in full on stdout, whatever its terminal shows; for tests alone.

With its arguments it is one run. With `--serve NUMBER` it forks a run for each request by the
socket of this number: Snakemake, and what its jobs import, is imported once for many tests, and
the project's rule files are translated once.
"""

import atexit
import ctypes
import gc
import importlib
import json
import logging
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

import psutil
from snakemake.cli import get_argument_parser, main
from snakemake.logging import DefaultFormatter, logger
from snakemake.sourcecache import LocalSourceFile

ROOT = Path(__file__).parents[1]
PARENT = ROOT / "workflow/scripts/foldwise/plan/warm/parent.py"
# What Snakemake and the rule files import only once a run has begun.
LATE = ("snakemake.storage", "smart_open", "jsonschema", "difflib", "graphlib", "encodings.idna")


def print_job(record: logging.LogRecord) -> bool:
    """Rule, files and wildcards of a job that starts or is planned."""
    if getattr(getattr(record, "event", None), "name", "") == "JOB_INFO":
        print("\n".join(DefaultFormatter()._format_job_info(record.__dict__)), flush=True)
    return True


def run() -> None:
    """Snakemake with this process's arguments."""
    logger.addFilter(print_job)
    sys.argv[0] = "snakemake"
    main()


def serve(number: int) -> None:
    """Answer each request by the number of its process and, at its end, its exit status."""
    tests = socket.socket(fileno=number)
    get_argument_parser()  # It imports the plug-ins.
    import_libraries(LATE)
    translate_once()
    measure_lightly()
    for line in tests.makefile("rb"):
        request = json.loads(line)
        if request["jobs"]:
            import_libraries(request["libraries"])
        pid = os.fork()
        if not pid:
            tests.close()
            os._exit(forked(request))
        tests.sendall(b"%d\n" % pid)
        tests.sendall(b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


class Sources:
    """What the translation asks of a workflow: the text of a rule file."""

    sourcecache: "Sources"

    def open(self, path: LocalSourceFile) -> TextIO:
        return open(path.get_path_or_uri(secret_free=True), encoding="utf-8")


def translate_once() -> None:
    """Translate the project's rule files here; a run translates only a file with another text."""
    from snakemake import workflow  # late: it has to be imported by way of the command

    translate, known = workflow.parse, {}
    reader = Sources()
    reader.sourcecache = reader
    for path in [ROOT / "Snakefile", *(ROOT / "workflow/rules").glob("*.smk")]:
        lines: dict[int, int] = {}
        code, rules = translate(LocalSourceFile(str(path)), reader, lines)
        known[path.read_text(encoding="utf-8")] = str(path), code, rules, lines

    def parse(path, run, linemap, overwrite_shellcmd=None, rulecount=0):
        with run.sourcecache.open(path) as file:
            text = file.read()
        if text not in known or overwrite_shellcmd:
            return translate(path, run, linemap, overwrite_shellcmd, rulecount)
        there, code, rules, lines = known[text]
        linemap.update(lines)
        # Each rule bears the name of its file; a copy of the project has the same text elsewhere.
        own = path.get_path_or_uri(secret_free=True)
        return code.replace(f"snakefile={there!r}", f"snakefile={own!r}"), rulecount + rules

    workflow.parse = parse


def import_libraries(names: Iterable[str]) -> None:
    """Import what runs or their jobs would, as the parent of warm jobs does."""
    missing = [name for name in names if name not in sys.modules]
    if not missing:
        return
    gc.disable()  # What is imported stays: a look for garbage in it takes a tenth of the time.
    for name in missing:
        importlib.import_module(name)
    gc.enable()
    runpy.run_path(str(PARENT))["forget_ends"]()
    gc.collect()
    gc.freeze()
    if "torch" in sys.modules:
        gather()


def gather() -> None:
    """Memory in large pages, where the kernel gathers it: a fork copies the table of pages, most of
    what a fork of so many libraries takes."""
    libc, large, collapse = ctypes.CDLL(None), 2 << 20, 25
    for line in Path("/proc/self/maps").read_text().splitlines():
        area, rights, *_, name = f"{line} ".split(" ", 5)
        if rights == "rw-p" and name.strip() in ("", "[heap]"):
            begin, end = (int(place, 16) for place in area.split("-"))
            begin, end = -(-begin // large) * large, end // large * large
            if begin < end:  # A kernel that cannot leaves the pages as they are.
                libc.madvise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), collapse)


def measure_lightly() -> None:
    """Benchmarks of jobs without the shares of memory, for which the kernel looks at each page."""
    full = type(psutil.Process().memory_full_info())

    def measured(process: psutil.Process) -> tuple:
        plain = process.memory_info()
        return full(*plain, uss=plain.rss, pss=plain.rss, swap=0)

    psutil.Process.memory_full_info = measured


def forked(request: dict) -> int:
    """One run, as a process of its own would do it; returns its exit status."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(request["cwd"])
    os.environ.clear()
    # The libraries are here already, so that each job is forked, of however few.
    os.environ.update(request["environment"] | {"FOLDWISE_WARM": "1"})
    tempfile.tempdir = None
    for stream, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(request[name], os.O_WRONLY), stream)
    if request["jobs"]:
        Popen.standby = Standby()
        subprocess.Popen = Popen
    sys.argv = ["snakemake", *request["arguments"]]
    status = 0
    try:
        run()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return status


class Standby:
    """A process with the libraries that becomes the parent of warm jobs when one is asked for.

    It is forked before Snakemake has begun, since one with threads cannot be forked safely.
    """

    def __init__(self) -> None:
        self.socket, theirs = socket.socketpair()
        self.pid = os.fork()
        if not self.pid:
            self.socket.close()
            message, descriptors, _, _ = socket.recv_fds(theirs, 1 << 16, 1)
            if not message:
                os._exit(0)
            sys.path[:] = [place for place in sys.path if place != str(Path(__file__).parent)]
            script, *libraries = json.loads(message)
            runpy.run_path(script)["main"](descriptors[0], tuple(libraries))
        theirs.close()

    def begin(self, command: list[str]) -> "Standby":
        script, descriptor, *libraries = command[2:]
        socket.send_fds(self.socket, [json.dumps([script, *libraries]).encode()], [int(descriptor)])
        return self

    def wait(self) -> None:
        os.waitpid(self.pid, 0)


class Popen(subprocess.Popen):
    """Of all processes that Snakemake starts, the parent of warm jobs is there already."""

    standby: Standby

    def __new__(cls, command, *arguments, **options):
        if isinstance(command, list) and command[2:3] and command[2].endswith(PARENT.name):
            return cls.standby.begin(command)
        return super().__new__(cls)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(int(sys.argv[2]))
    else:
        run()
