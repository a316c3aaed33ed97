"""Settings of all tests."""

import gc
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

# As jobs have it: two workers on two cores, each with two threads, hold each other up.
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before anything imports numpy or torch
# Whatever the shell says: each of a thousand jobs would else compile the package's code anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# A fifth of what it takes to import all test files is looking for garbage among what stays.
gc.disable()

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

    from foldwise.article.literals import Marking

    compiled, codes = Environment.compile, {}

    def remembered(self, source, *how, **more):
        # What marks typed numbers is new for each article; its code hangs on the places so far.
        marking = self.extensions.get(Marking.identifier)
        places = [] if marking is None else marking.places
        state = self.finalize if marking is None else tuple(places)
        # All that the code depends on: a lexer is one for each way to write templates.
        of = (self.lexer, state, self.autoescape, type(self))
        key = (source, how, tuple(sorted(more.items())), of)
        if key not in codes:
            codes[key] = compiled(self, source, *how, **more), tuple(places)
        code, places[:] = codes[key]
        return code

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


# Folders of tests by how long their files take, and the longest files of the others: the short ones
# at the end keep all workers busy. `tests` is the plug-in's.
LONGEST_FIRST = ("tests", "end_to_end", "contract", "faults", "dag")
LONGEST_OTHERS = (
    *("test_search_propose", "test_article", "test_segmentation", "test_figures"),
    *("test_spellings", "test_report_sections", "test_article_reliability", "test_bundle_exports"),
    *("test_report_kinds", "test_imports", "test_search_analysis", "test_subgroups"),
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that run whole studies first; `--no-loadscope-reorder` keeps this order."""

    order = [*LONGEST_FIRST, *LONGEST_OTHERS]

    def place(item: pytest.Item) -> int:
        path = Path(item.path)
        name = path.parent.name if path.parent.name in LONGEST_FIRST else path.stem
        return order.index(name) if name in order else len(order)

    items.sort(key=place)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """What was imported is looked through once and not again during the tests, what they make
    seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A worker takes a file at a time, and one of them all files of the plug-in for PBS: their
    tests wait for a made-up cluster most of the time, so that the others have the cores."""
    if config.getoption("dist") != "loadscope":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "plugins" if nodeid.startswith("plugins/") else super()._split_scope(nodeid)

    return Scheduling(config, log)
