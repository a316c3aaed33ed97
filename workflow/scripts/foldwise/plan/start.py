"""What is checked and said when a run starts, before its first job."""

import sys
from typing import Any

from foldwise.plan.preflight import preflight
from foldwise.plan.studies import Studies, Wildcards, around


def check(studies: Studies, dag: Any, deployed: bool) -> None:
    """Raise FoldwiseError for what would stop one of the jobs of `dag` later, and warn.

    `deployed`: jobs bring their own software, so that this environment's says nothing of theirs.
    """
    planned = {(job.rule.name, study_of(studies, job.wildcards)) for job in dag.needrun_jobs()}
    # Studies of which nothing is to be made are not checked: their data may lie elsewhere by now.
    names = {study for _, study in planned}
    # Where the cohort is up to date, the archive is not listed again for a start's checks.
    unread = [study for rule, study in planned if rule == "cohort"]
    chosen = [studies.by_name[name] for name in studies.names if name in names]
    for warning in preflight(chosen, "results", unread, not deployed):
        print(f"Warning: {warning}", file=sys.stderr)
    listed = [study for study in chosen if study["name"] in unread]
    if listed and not deployed:
        from foldwise.cohort.understood import report  # late: it imports readers

        print("\n".join(report(listed, "results/private")), file=sys.stderr)


def study_of(studies: Studies, wildcards: Wildcards) -> str:
    """The study that a job works for; inside an outer fold, the one around it."""
    if key := wildcards.get("key"):
        return studies.caches[key]["name"]
    return around(wildcards.get("study") or "")
