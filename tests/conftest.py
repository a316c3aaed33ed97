"""Settings of all tests."""

import os
import signal
from pathlib import Path

import pytest

# As jobs have it: two workers on two cores, each with two threads, hold each other up.
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before anything imports numpy or torch

from hypothesis import settings  # noqa: E402
from hypothesis.internal.conjecture import providers  # noqa: E402

# A shell's background jobs ignore Ctrl-C and would hand that down to what the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples each time: what fails here fails everywhere, and on the next run too.
settings.register_profile("same", derandomize=True, deadline=None)
settings.load_profile("same")
# Each worker would else read all code here for numbers to try, for one file of such tests.
providers._get_local_constants = lambda: providers._local_constants


@pytest.fixture(scope="session", autouse=True)
def compiled_once():
    """Pages are made here of the same templates hundreds of times, and to compile one takes longer
    than to fill it: each is compiled once."""
    from jinja2 import Environment

    compiled, codes = Environment.compile, {}

    def remembered(self, source, *how, **more):
        # All that the code depends on: a lexer is one for each way to write templates.
        of = (self.lexer, self.finalize, self.autoescape, type(self))
        key = (source, how, tuple(sorted(more.items())), of)
        if key not in codes:
            codes[key] = compiled(self, source, *how, **more)
        return codes[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Environment, "compile", remembered)
        yield


@pytest.fixture(scope="session", autouse=True)
def compared_once():
    """The pictures of a made-up archive, which many audits here compare, are compared once."""
    from foldwise.pixels import likeness

    compared, known = likeness.correlation, {}

    def remembered(one, other, part, parts=likeness.PARTS):
        planes = (one.wide, one.fine, other.wide, other.fine)
        key = (*(plane.tobytes() for plane in planes), part, tuple(parts))
        if key not in known:
            known[key] = compared(one, other, part, parts)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(likeness, "correlation", remembered)
        yield


# Folders of tests by how long their files take: the short ones at the end keep all workers busy.
LONGEST_FIRST = ("end_to_end", "contract", "tests", "faults", "dag")  # tests: the plug-in's


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that run whole studies first; `-n 2 --no-loadscope-reorder` keeps this order."""

    def place(item: pytest.Item) -> int:
        folder = Path(item.path).parent.name
        return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)

    items.sort(key=place)
