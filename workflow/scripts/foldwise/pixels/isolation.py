"""Work in child processes that may die: a C library's crash costs one task, not the run."""

import multiprocessing
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import Any

from foldwise.pixels.memory import limit_memory

# CPU seconds that one task may take before its process is ended. Codecs loop on some damage; a
# sound film takes .6 s at most, the largest picture that fits into a job's memory some five. A
# whole shard of what takes longest then still ends within the job's time.
LIMIT_S = 30
# Memory of the job that the process which hands out the tasks takes itself.
OWN_BYTES = 400 << 20


@dataclass(frozen=True)
class Limits:
    """What one task may take: CPU seconds, and bytes beyond those of the process before it."""

    seconds: float = field(default_factory=lambda: LIMIT_S)
    memory: int | None = None

    @classmethod
    def of_job(cls, mem_mb: float, workers: int) -> "Limits":
        """A worker's share of the job's memory; larger pictures may take longer."""
        memory = max(int(mem_mb * 1e6) - OWN_BYTES, OWN_BYTES) // max(workers, 1)
        return cls(LIMIT_S * max(1.0, memory / 1e9), memory)


@dataclass(frozen=True)
class Died:
    """A task ended its process; `exit_code` is negative for a signal."""

    exit_code: int


@dataclass(frozen=True)
class Raised:
    """What `work` did not expect: type and place of the error, without its text."""

    what: str


class Worker:
    """One child process that does tasks one after the other."""

    def __init__(self, work: Callable[[Any], Any], crew: list["Worker"], limits: Limits) -> None:
        # Forked, so that nothing is imported again and `work` needs no pickling.
        methods = multiprocessing.get_all_start_methods()
        context = multiprocessing.get_context("fork" if "fork" in methods else "spawn")
        self.connection, theirs = context.Pipe()
        # A fork holds the ends of the other workers' pipes too; while it does, none of them sees
        # that this process has closed them, or died.
        others = [worker.connection for worker in crew if not worker.connection.closed]
        args = work, theirs, [self.connection, *others], limits
        self.process = context.Process(target=_serve, args=args, daemon=True)
        self.process.start()
        # The child's end: open here too, a child that dies would never be an end of file.
        theirs.close()
        self.task: int | None = None

    def give(self, number: int, task: Any) -> None:
        self.task = number
        self.connection.send(task)

    def answer(self) -> Any:
        """The result of the task in hand, or Died. An unexpected error is raised here."""
        try:
            result = self.connection.recv()
        except EOFError:
            self.process.join()
            return Died(self.process.exitcode or 0)
        if isinstance(result, Raised):
            raise RuntimeError(result.what)
        return result

    def stop(self) -> None:
        self.connection.close()
        self.process.join()


def _serve(work: Callable[[Any], Any], connection: Any, parents: list[Any], limits: Limits) -> None:
    for end in parents:
        end.close()
    # Ctrl-C reaches the whole group; the parent ends its workers in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    if limits.memory is not None:
        limit_memory(limits.memory)
    while True:
        try:
            task = connection.recv()
        except EOFError:
            return
        # CPU time, not the clock's: a job that waits for a slow disk is no decoder that loops.
        signal.setitimer(signal.ITIMER_PROF, limits.seconds)
        try:
            result = work(task)
        except Exception as error:
            # Texts of libraries' errors may quote a header.
            place = traceback.extract_tb(error.__traceback__)[-1]
            name = type(error).__name__
            result = Raised(f"{name} in {place.name}, {place.filename} line {place.lineno}")
        signal.setitimer(signal.ITIMER_PROF, 0)
        connection.send(result)


def run_isolated(
    work: Callable[[Any], Any], tasks: list[Any], workers: int, limits: Limits
) -> list[Any]:
    """`work(task)` of each task, in their order, or Died where a task ended its process."""
    results: list[Any] = [None] * len(tasks)
    # Reversed, since `pop` takes from the end: tasks start in their order.
    waiting = list(enumerate(tasks))[::-1]
    crew: list[Worker] = []
    try:
        for _ in range(min(max(workers, 1), len(tasks))):
            crew.append(Worker(work, crew, limits))
            crew[-1].give(*waiting.pop())
        busy = {worker.connection: worker for worker in crew}
        while busy:
            for connection in wait(list(busy)):
                worker = busy.pop(connection)
                results[worker.task] = worker.answer()
                if isinstance(results[worker.task], Died):
                    crew.remove(worker)
                    worker.stop()
                    worker = Worker(work, crew, limits)
                    crew.append(worker)
                if waiting:
                    worker.give(*waiting.pop())
                    busy[worker.connection] = worker
    finally:
        for worker in crew:
            worker.stop()
    return results
