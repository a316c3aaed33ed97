"""Items that another process makes while this one works on those before them.

So pictures are decoded while a network predicts the last ones. The process is forked before this
one has models, threads of theirs or a GPU, none of which survives a fork, and forks the isolated
decoders itself.
"""

import ctypes
import multiprocessing
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

import cv2

from foldwise.errors import FoldwiseError

PR_SET_PDEATHSIG = 1  # of Linux' prctl: the signal that a process gets when its parent dies


@contextmanager
def produced(items: Callable[[], Iterator[Any]]) -> Iterator[Iterator[Any]]:
    """The items as they come, one or two ahead of their use; what goes wrong is raised here.

    The process begins at once, and ends with the block. Without `fork` the items are made here.
    """
    if "fork" not in multiprocessing.get_all_start_methods():
        yield items()
        return
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    # No daemon: those may not start processes, and decoding does.
    process = context.Process(target=_produce, args=(items, ours, theirs))
    # Threads that OpenCV has here are missing there, where ending them would wait for ever.
    cv2.setNumThreads(1)
    process.start()
    # The child's end: open here too, a child that dies would never be an end of file.
    theirs.close()
    try:
        yield _received(ours, process)
    finally:
        process.terminate()
        process.join()
        ours.close()


def _received(connection: Connection, process: Any) -> Iterator[Any]:
    while True:
        try:
            kind, item = connection.recv()
        except EOFError:
            process.join()
            raise FoldwiseError(
                f"The process that decodes images was ended from outside (exit code "
                f"{process.exitcode}), as happens when memory runs out. Run the same command "
                "again: what was done is not done again."
            ) from None
        if kind == "end":
            return
        if kind == "error":
            raise item
        yield item


def _produce(
    items: Callable[[], Iterator[Any]], parents: Connection, connection: Connection
) -> None:
    parents.close()
    # Ctrl-C reaches the whole group; the parent ends this process in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":
        # A parent that is killed ends nobody: without this its pictures would still be decoded.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    try:
        for item in items():
            connection.send(("item", item))
        connection.send(("end", None))
    except BrokenPipeError:
        return
    except Exception as error:
        connection.send(("error", error))
