"""Fixtures: the made-up cluster, and a workflow on it."""

import signal
import sys

import pytest
from pbs_cluster import PLUGIN, Cluster, Workflow

# A shell's background jobs ignore Ctrl-C and would hand that down to the drivers.
signal.signal(signal.SIGINT, signal.default_int_handler)

# As if installed: Snakemake finds plugins on its path.
sys.path.insert(0, str(PLUGIN))


@pytest.fixture
def cluster(tmp_path):
    """A cluster on which a minute of walltime lasts a second, SIGKILL follows after one."""
    made = Cluster(tmp_path / "pbs", forked=True, walltime_scale=1 / 60, kill_delay=1.0)
    yield made
    made.stop()


@pytest.fixture
def workflow(tmp_path, cluster):
    """`make(snakefile)` gives a Workflow in a folder of its own, its drivers forked or as typed."""
    made = []

    def make(snakefile: str, forked: bool = True) -> Workflow:
        made.append(Workflow(tmp_path / "work", cluster, snakefile, forked))
        return made[-1]

    yield make
    for each in made:
        each.close()
