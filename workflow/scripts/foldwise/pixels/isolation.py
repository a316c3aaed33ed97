"""Work in child processes that may die: a C library's crash costs one task, not the run."""

import multiprocessing
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Any

# CPU seconds that one task may take before its process is ended. Codecs loop on some damage; a
# sound film takes .6 s at most, the largest picture that is let through a few tens of seconds.
LIMIT_S = 60


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

    def __init__(self, work: Callable[[Any], Any], crew: list["Worker"]) -> None:
        # Forked, so that nothing is imported again and `work` needs no pickling.
        methods = multiprocessing.get_all_start_methods()
        context = multiprocessing.get_context("fork" if "fork" in methods else "spawn")
        self.connection, theirs = context.Pipe()
        # A fork holds the ends of the other workers' pipes too; while it does, none of them sees
        # that this process has closed them, or died.
        others = [worker.connection for worker in crew if not worker.connection.closed]
        args = work, theirs, [self.connection, *others]
        self.process = context.Process(target=_serve, args=args, daemon=True)
        self.process.start()
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


def _serve(work: Callable[[Any], Any], connection: Any, parents: list[Any]) -> None:
    for end in parents:
        end.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    while True:
        try:
            task = connection.recv()
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_PROF, LIMIT_S)
        try:
            result = work(task)
        except Exception as error:
            # Texts of libraries' errors may quote a header.
            place = traceback.extract_tb(error.__traceback__)[-1]
            name = type(error).__name__
            result = Raised(f"{name} in {place.name}, {place.filename} line {place.lineno}")
        signal.setitimer(signal.ITIMER_PROF, 0)
        connection.send(result)


def run_isolated(work: Callable[[Any], Any], tasks: list[Any], workers: int) -> list[Any]:
    """`work(task)` of each task, in their order, or Died where a task ended its process."""
    results: list[Any] = [None] * len(tasks)
    waiting = list(enumerate(tasks))[::-1]
    crew: list[Worker] = []
    try:
        for _ in range(min(max(workers, 1), len(tasks))):
            crew.append(Worker(work, crew))
            crew[-1].give(*waiting.pop())
        busy = {worker.connection: worker for worker in crew}
        while busy:
            for connection in wait(list(busy)):
                worker = busy.pop(connection)
                results[worker.task] = worker.answer()
                if isinstance(results[worker.task], Died):
                    crew.remove(worker)
                    worker.stop()
                    worker = Worker(work, crew)
                    crew.append(worker)
                if waiting:
                    worker.give(*waiting.pop())
                    busy[worker.connection] = worker
    finally:
        for worker in crew:
            worker.stop()
    return results
