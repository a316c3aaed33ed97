"""Why a job ended, said with what it used against what it had asked for."""

import re
import signal
from pathlib import Path

# By Exit_status, the resource whose limit was passed; then what a rule calls it, if not runtime.
KILLED = {-24: "ncpus", -25: "ncpus", -26: "vmem", -27: "mem", -28: "cput", -29: "walltime"}
IN_RULE = {"ncpus": "threads", "vmem": "mem_mb", "mem": "mem_mb"}
# Exit codes of the job script itself, see script.py.
OWN = {
    75: "another PBS job is running this very job; this one stepped back",
    76: "the node does not see the working directory: it must lie on a file system that login and "
    "compute nodes share. Often $HOME is not: move the project to a shared folder",
    77: "its driver had given it up before it started",
}
UNKNOWN = (
    "it left the queue without an exit code, and the server keeps no history that would say why: "
    "deleted, its node lost, or a node that does not see the working directory"
)
DELETED, SUCCEEDED = 91, 92  # substates


def succeeded(facts: dict | None) -> bool:
    """Whether the server saw a job succeed. A job that was deleted as it ran may have status 0."""
    facts = facts or {}
    return int(facts.get("Exit_status", 1)) == 0 and int(facts.get("substate", 0)) == SUCCEEDED


def explain(code: int | None, facts: dict | None, log: str) -> str:
    """Why a job failed, what it used, and PBS's own words.

    `code` is what the job wrote as its exit code, `facts` what the server remembers of it, `log`
    the file in which PBS notes that it killed a job; each may be missing.
    """
    facts = facts or {}
    remark = f"PBS says: {facts['comment']}." if facts.get("comment") else ""
    return " ".join(filter(None, (f"{cause(code, facts, log)}.", usage(facts), remark)))


def cause(code: int | None, facts: dict, log: str) -> str:
    """The clearest cause that is known."""
    status = int(facts["Exit_status"]) if "Exit_status" in facts else None
    noted = killed_line(log)
    resource = KILLED.get(status) or (noted.split()[0] if noted else "")
    if resource:
        what, name = noted or f"{resource} exceeded", IN_RULE.get(resource, "runtime")
        return f"PBS killed it: {what}; ask for more `{name}`"
    if status is not None and status < 0:
        return f"PBS could not run it (Exit_status {status})"
    if status is not None and int(facts.get("substate", 0)) == DELETED:
        return f"it was deleted while it ran (Exit_status {status})"
    if code is not None:
        return f"its command ended with exit code {code}"
    if status is None:
        return "it was deleted before it ran, or a job it waited for failed" if facts else UNKNOWN
    if status > 128:  # of PBS 256 + n, of a shell 128 + n
        number = status - (256 if status > 256 else 128)
        return f"it was ended by signal {number} ({signal.strsignal(number)})"
    return OWN.get(status, f"it ended with exit status {status}")


def usage(facts: dict) -> str:
    """Used of requested: a node may kill for memory without telling PBS."""
    used, requested = facts.get("resources_used", {}), facts.get("Resource_List", {})
    names = [name for name in ("walltime", "cput", "mem") if name in used and name in requested]
    amounts = ", ".join(f"{name} {used[name]} of {requested[name]} requested" for name in names)
    return f"Used: {amounts}." if amounts else ""


def killed_line(log: str) -> str:
    """What PBS wrote into the job's log when it killed it; empty when it did not."""
    try:
        tail = Path(log).read_bytes()[-20000:].decode(errors="replace")
    except OSError:
        return ""
    lines = re.findall(r"=>> PBS: job killed: (.+)", tail)
    return lines[-1].strip() if lines else ""
