"""Memory that a step frees is there for the next one without being cleared by the system."""

import platform
import subprocess
import sys

import pytest

from flow import ROOT

# Blocks as large as a small network's, freed as Python frees a list's: the last one first.
PROGRAM = """
import ctypes, resource, sys
sys.path.insert(0, sys.argv[1])
from foldwise.train.machine import keep_freed_memory
if sys.argv[2] == "keep":
    keep_freed_memory()
libc, size = ctypes.CDLL(None), 8 << 20
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes, libc.free.argtypes = [ctypes.c_size_t], [ctypes.c_void_p]
def step():
    blocks = [libc.malloc(size) for _ in range(8)]
    for block in blocks:
        ctypes.memset(block, 1, size)
    for block in blocks[::-1]:
        libc.free(block)
for _ in range(3):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*arguments):
    command = [sys.executable, "-c", PROGRAM, str(ROOT / "workflow" / "scripts"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
def test_a_step_finds_the_memory_of_the_last_one():
    assert faults("keep") < faults("usual") / 100
