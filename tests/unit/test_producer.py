"""Items made by another process ahead of their use."""

import os
import signal
import time

import cv2
import numpy as np
import pytest

from foldwise.bundle.intake.producer import produced
from foldwise.errors import FoldwiseError


def wait_for(done):
    end = time.monotonic() + 30
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_items_come_in_order_and_are_made_before_they_are_asked_for(tmp_path):
    def items():
        for number in range(3):
            (tmp_path / f"{number}").touch()
            yield number

    with produced(items) as made:
        first = next(made)
        wait_for((tmp_path / "1").exists)
        assert [first, *made] == [0, 1, 2]


def test_threads_that_opencv_has_here_stop_no_producer():
    def items():
        cv2.setNumThreads(1)
        yield cv2.getNumThreads()

    def give_up(*_):
        raise TimeoutError("the producer waits for threads that it does not have")

    before, handler = cv2.getNumThreads(), signal.signal(signal.SIGALRM, give_up)
    try:
        cv2.setNumThreads(2)
        cv2.resize(np.zeros((32, 32), np.uint8), (2048, 2048))  # begins the threads
        signal.alarm(20)
        with produced(items) as made:
            assert [*made] == [1]
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, handler)
        cv2.setNumThreads(before)


def test_what_goes_wrong_is_raised_where_the_items_are_used():
    def items():
        yield 1
        raise FoldwiseError("No room. Delete something.")

    said = r"^No room\. Delete something\.$"
    with produced(items) as made, pytest.raises(FoldwiseError, match=said):
        assert next(made) == 1
        next(made)


def test_a_producer_that_is_killed_is_told_and_one_that_is_left_ends():
    def killed():
        yield os.getpid()
        os.kill(os.getpid(), signal.SIGKILL)

    with produced(killed) as made, pytest.raises(FoldwiseError, match=r"exit code -9.*again"):
        list(made)

    def endless():
        yield os.getpid()
        while True:
            time.sleep(1)

    with produced(endless) as made:
        pid = next(made)
    assert not alive(pid)


def test_a_producer_ends_with_a_parent_that_is_killed():
    read, write = os.pipe()

    def endless():
        os.write(write, f"{os.getpid()}\n".encode())
        while True:
            time.sleep(1)
            yield 1

    parent = os.fork()
    if not parent:
        with produced(endless) as made:
            next(made)
            time.sleep(60)
        os._exit(0)
    with os.fdopen(read) as told:
        pid = int(told.readline())
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    wait_for(lambda: not alive(pid))
