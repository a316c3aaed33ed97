"""What keeps a start short: work of Snakemake's that no plan and no job of ours needs.

Each part stands aside where Snakemake is not what it was, and the plan is the same without it
(`tests/dag/test_faster.py`).
"""

import gc

from foldwise.plan.faster.folders import looked_up
from foldwise.plan.faster.lookup import by_name
from foldwise.plan.faster.params import kept_plain, of_wildcards, without_tables
from foldwise.plan.faster.unchanged import Awaited, planned_once

# Objects made between two looks for garbage, Python's own being 700: a plan's objects all stay, and
# each look at all of them takes the longer the larger the plan is.
BETWEEN = 50_000

__all__ = ["Awaited", "of_wildcards", "plan"]


def plan() -> None:
    """Have Snakemake plan so from here on, in this process."""
    # Here and not above: who asks studies for their settings plans nothing.
    from snakemake.dag import DAG
    from snakemake.iocontainers import Snakemake
    from snakemake.output_index import OutputIndex
    from snakemake.persistence import PersistenceBase

    gc.set_threshold(BETWEEN, *gc.get_threshold()[1:])
    planned_once(DAG)
    looked_up(DAG)
    by_name(OutputIndex)
    without_tables(PersistenceBase)
    kept_plain(Snakemake)
