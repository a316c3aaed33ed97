"""The run with a search's best settings against the run without them."""

from typing import Any

from foldwise.report.ledger import escaped
from foldwise.report.run import Run, Study
from foldwise.report.tables import differences, mcnemar_tests


def applies(study: Study) -> bool:
    """To studies whose report names it."""
    return "tuned" in study["report"]["search"]


def reads(study: Study) -> tuple[str, ...]:
    """The comparison of the two runs."""
    return ("tuned",)


def values(run: Run) -> dict[str, Any]:
    """A verdict a seed, and the metrics of the study's own seed."""
    source = run.file("tuned")
    seeds = list(source.value("seeds"))
    # Keys of a file are in order of their text, so the study's own need not be the first.
    stated = str(run.study["seed"])
    own = ("seeds", stated if stated in seeds else seeds[0])
    return {
        "opens": not {"search"} & set(run.study["report"]["search"]),
        "verdicts": [(escaped(seed), source("seeds", seed, "verdict")) for seed in seeds],
        "metrics": differences(source, own, run.metrics),
        "mcnemar": mcnemar_tests(source, own),
        "over_seeds": source("over_seeds", "text") if source.value("over_seeds") else None,
    }
