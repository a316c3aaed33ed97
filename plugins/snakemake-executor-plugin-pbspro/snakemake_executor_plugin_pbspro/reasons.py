"""Why a job ended, said with what it used against what it had asked for."""

import re
import signal
from pathlib import Path
from typing import Any

# Resource whose limit was passed, by Exit_status; Snakemake's name for it in a rule.
KILLED = {
    -24: ("ncpus", "threads"),
    -25: ("ncpus", "threads"),
    -26: ("vmem", "mem_mb"),
    -27: ("mem", "mem_mb"),
    -28: ("cput", "runtime"),
    -29: ("walltime", "runtime"),
}
BROKEN = {
    -1: "PBS could not start it (before its files were made)",
    -2: "PBS could not start it (after its files were made)",
    -3: "PBS could not start it and gave up",
    -30: "PBS could not join its nodes",
}
# Exit codes of the job script itself, see script.py.
OWN = {
    75: "another PBS job is running this very job; this one stepped back",
    76: "the node does not see the working directory: it must lie on a file system that login and "
    "compute nodes share. Often $HOME is not: move the project to a shared folder",
    77: "its driver had given it up before it started",
}


DELETED, SUCCEEDED = 91, 92  # substates


def succeeded(facts: dict | None) -> bool:
    """Whether the server saw a job succeed. A job that was deleted as it ran may have status 0."""
    facts = facts or {}
    return int(facts.get("Exit_status", 1)) == 0 and int(facts.get("substate", 0)) == SUCCEEDED


def explain(code: int | None, facts: dict | None, log: str) -> str:
    """One or two sentences on the end of a job.

    `code` is what the job wrote as its exit code, `facts` what the server remembers of it, `log`
    the file in which PBS notes that it killed a job; each may be missing.
    """
    facts = facts or {}
    status = int(facts["Exit_status"]) if "Exit_status" in facts else None
    noted = killed_line(log)
    if status in KILLED:
        return over(*KILLED[status], facts)
    if noted:
        asked = dict(KILLED.values()).get(noted.split()[0], "of it")
        return f"PBS killed it: {noted}. Ask for more `{asked}`."
    if status is not None and status < 0:
        return f"{BROKEN.get(status, 'PBS ended it')} (Exit_status {status}). {remark(facts)}"
    if status is not None and int(facts.get("substate", 0)) == DELETED:
        return f"it was deleted while it ran (Exit_status {status}). {remark(facts)}"
    if code is not None:
        return f"its command ended with exit code {code}. {near_memory(facts)}".rstrip()
    if status is None:
        return without_status(facts)
    if status in OWN:
        return f"{OWN[status]} (exit status {status})."
    ended = by_signal(status) if status > 128 else f"it ended with exit status {status}."
    return " ".join(filter(None, (ended, near_memory(facts), remark(facts))))


def without_status(facts: dict) -> str:
    """A job that never ran to an end: deleted in the queue, or no longer known."""
    if facts:
        return f"it was deleted before it ran, or a job it waited for failed. {remark(facts)}"
    return (
        "it left the queue without an exit code, and the server keeps no history that would say "
        "why: deleted, its node lost, or a node that does not see the working directory."
    )


def over(resource: str, asked: str, facts: dict) -> str:
    """A limit that was passed: used against requested, and which resource to raise."""
    used = facts.get("resources_used", {}).get(resource, "?")
    limit = facts.get("Resource_List", {}).get(resource, "?")
    return f"PBS killed it: {resource} used {used} of {limit} requested. Ask for more `{asked}`."


def by_signal(status: int) -> str:
    """Exit statuses above 256 (PBS) or 128 (shell) are signals."""
    number = status - (256 if status > 256 else 128)
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    return f"it was ended by {name} (exit status {status})."


def near_memory(facts: dict) -> str:
    """A word on memory where a job came near to its request: nodes kill without telling PBS."""
    used = kilobytes(facts.get("resources_used", {}).get("mem"))
    limit = kilobytes(facts.get("Resource_List", {}).get("mem"))
    if limit and used >= 0.95 * limit:
        return f"Memory: used {used >> 10} of {limit >> 10} MB requested; ask for more `mem_mb`."
    return ""


def kilobytes(size: Any) -> int:
    """`2048kb`, `2mb`, `2097152b` or bytes without a unit, as kilobytes."""
    found = re.fullmatch(r"(\d+)(kb|mb|gb|tb|b|)", str(size or "").strip().lower())
    scale = {"b": 1 / 1024, "": 1 / 1024, "kb": 1, "mb": 1024, "gb": 1024**2, "tb": 1024**3}
    return int(int(found[1]) * scale[found[2]]) if found else 0


def remark(facts: dict) -> str:
    """PBS's own words."""
    return f"PBS says: {facts['comment']}." if facts.get("comment") else ""


def killed_line(log: str) -> str:
    """What PBS wrote into the job's log when it killed it; empty when it did not."""
    try:
        tail = Path(log).read_bytes()[-20000:].decode(errors="replace")
    except OSError:
        return ""
    found = re.findall(r"=>> PBS: job killed: (.+)", tail)
    return found[-1].strip() if found else ""
