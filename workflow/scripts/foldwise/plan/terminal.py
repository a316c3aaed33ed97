"""A calm terminal: a line a job in words, warnings, errors in full, and little else.

Snakemake tells what happens as events, the same that its logger plug-ins get. What is left out
here stands in its own log under .snakemake/log, and `--verbose` brings it back.

Not a logger plug-in: Snakemake takes those from installed packages alone, by `--logger`, so that a
clone would show the noise until one was installed and asked for on each command line.
"""

import logging
import os
import re
import time
from pathlib import Path

from snakemake.logging import logger
from snakemake_interface_logger_plugins.common import LogEvent

from foldwise.errors import nearest

WIDTH = 18  # of the rules' names in a plan
LAST_LINES = 12
LONGEST = 120  # of a reason, in characters
NOISE = (
    "Select jobs to execute",
    "Execute ",
    "Using shell",
    "Assuming unrestricted",
    "DAG of jobs will be updated",
    "Updating checkpoint dependencies",
    "Conda environments: ignored",
    "Singularity containers: ignored",
    "The run involves checkpoint jobs",  # The plan is whole without them, see `current`.
    "Exiting because a job execution failed",
)
# Snakemake's words when Ctrl-C or SIGTERM has come, and how it ends then as after any failure.
ASKED = ("Terminating processes on user request", "Will exit after finishing currently running")
# What may be named on the command line beside files.
TARGETS = (
    *("all", "analysis", "article", "bundle", "crate", "learning_curve", "nested", "pack"),
    *("search", "seeds", "tuned"),
)
NO_RULE = re.compile(r"No rule to produce (\S+)")
# Its last words of a run, however that went.
LAST = "Complete log"
FAILED = "At least one job did not complete successfully"
# An input of this name is a few lines for whoever waits at the terminal: they are shown.
SHOWN = "/in_short.txt"
# What a plan cannot know before the cohort is made: which parts of the cache there are, and which
# of the jobs that follow find their files as they were.
PARTS = "How many parts the image cache has is known once the archive is listed: they come on top."
FEWER = (
    "All that may follow from the cohort is listed. What comes out as it was reruns nothing, "
    "so fewer jobs may run."
)
# As the adapters write it, see adapter.py.
MESSAGE = re.compile(r"^\S+ \S+ Error: ", re.MULTILINE)
SIGNAL = re.compile(r"died with <Signals\.(\w+)")


def calm(dry_run: bool) -> None:
    """Have Snakemake's terminal speak so; its log file stays as it is."""
    for handler in logger.handlers:
        if handler.name == "DefaultStreamHandler":
            handler.setFormatter(Calm(handler.formatter or logging.Formatter(), dry_run))
            handler.addFilter(Together(handler))


class Together(logging.Filter):
    """No empty line before each job: Snakemake's handler writes one where the last is no job."""

    def __init__(self, handler: logging.Handler) -> None:
        super().__init__()
        self.handler = handler

    def filter(self, record: logging.LogRecord) -> bool:
        self.handler.last_msg_was_job_info = True
        return True


class Calm(logging.Formatter):
    """Events in words; what it does not know is left to the formatter `before` it."""

    def __init__(self, before: logging.Formatter, dry_run: bool) -> None:
        super().__init__()
        self.before, self.dry_run = before, dry_run
        self.done, self.total = 0, 0
        self.notes: set[str] = set()
        self.stopped, self.wrong = False, False
        self.ways = {
            LogEvent.JOB_INFO: self.planned if dry_run else self.started,
            LogEvent.JOB_ERROR: self.failed,
            LogEvent.WORKFLOW_STARTED: nothing,
            LogEvent.JOB_FINISHED: nothing,
            LogEvent.RESOURCES_INFO: nothing,
            LogEvent.PROGRESS: self.progress,
            LogEvent.RUN_INFO: self.counted,
        }

    def format(self, record: logging.LogRecord) -> str:
        """The text of an event; empty for none, which is then not written."""
        self.wrong |= record.levelno >= logging.ERROR
        way = self.ways.get(getattr(record, "event", None), self.other)
        return way(record)

    def counted(self, record: logging.LogRecord) -> str:
        """How many jobs there are; of a plan, which is told twice, the table at its end."""
        # Snakemake counts before and after a dry run: the first time there is nothing to add up.
        before, self.total = self.total, record.stats["total"]
        if self.dry_run:
            table = f"\n{self.before.format(record)}" if before else ""
            return "\n".join([table, *sorted(self.notes)]) if table else ""
        return f"{self.total} jobs to run."

    def started(self, record: logging.LogRecord) -> str:
        """`14:03:21  [7/30]  Training fold 2 of run cv, study density`."""
        place = f"[{self.done}/{self.total}]  " if self.total else ""
        line = f"{time.strftime('%H:%M:%S')}  {place}{_message_of(record)}"
        return "\n".join([line, *map(_text_of, filter(_is_shown, record.input))])

    def planned(self, record: logging.LogRecord) -> str:
        """Rule, what it does, and below why."""
        if record.rule_name == "cohort":
            there = any(os.path.exists(path) for path in record.output)
            self.notes.add(FEWER if there else PARTS)
        why = because(record.reason)
        first = f"{record.rule_name:<{WIDTH}}{_message_of(record)}"
        return f"{first}\n{'':<{WIDTH}}{why}" if why else first

    def progress(self, record: logging.LogRecord) -> str:
        """Nothing but the end: each job's line says how many are done."""
        self.done, self.total = record.done, record.total
        return f"All {self.total} jobs are done." if self.done == self.total else ""

    def failed(self, record: logging.LogRecord) -> str:
        """What failed; not of jobs that were asked to stop."""
        return "" if self.stopped else failed(record)

    def other(self, record: logging.LogRecord) -> str:
        """Warnings and errors as they are, without what is said elsewhere."""
        text = self.before.format(record) or ""
        if text.startswith(ASKED):
            self.stopped = True
            return "Stopping: what is being trained is saved first, which may take some seconds."
        if self.stopped and FAILED in text:
            return "Stopped; the same command goes on."
        if unknown := NO_RULE.search(text):
            return no_target(unknown[1])
        if "CalledProcessError" in text:
            # The job's own message comes with its error; a signal leaves none.
            ended = SIGNAL.search(text)
            return f"A job was ended by {ended[1]}, which came from outside." if ended else ""
        short = self.done < self.total and not (self.wrong or self.stopped)
        if text.startswith(LAST) and short:
            # What followed from the cohort came out of the plan, and its jobs are told as no end.
            return f"All jobs are done: what was planned beyond them is as it should be.\n{text}"
        return "" if text.startswith(NOISE) else text


def no_target(name: str) -> str:
    """What to type instead of a name that is no target and no file that a rule makes."""
    return (
        f"'{name}' is no target and no file that a rule makes.{nearest(name, TARGETS)} "
        f"Targets are: {', '.join(TARGETS)}, and any file of results/ by its path."
    )


def nothing(record: logging.LogRecord) -> str:
    """An event that is not worth a line."""
    return ""


def _is_shown(path: str) -> bool:
    return path.endswith(SHOWN)


def _text_of(path: str) -> str:
    return Path(path).read_text(encoding="utf-8").rstrip()


def _message_of(record: logging.LogRecord) -> str:
    return record.rule_msg or f"Rule {record.rule_name}"


def because(reason: str) -> str:
    """A job's reasons in one line: files by the first of them, what follows from others last."""
    parts = [part for part in reason.split("; ") if part]
    own = [part for part in parts if not part.startswith("Input files updated by another job")]
    if parts and not own:
        return "follows from a job above"
    return "; ".join(_first_of(part) for part in own)


def _first_of(part: str) -> str:
    what, colon, listed = part.partition(": ")
    if "files" not in what or not colon:
        return part if len(part) <= LONGEST else f"{part[:LONGEST]} ..."
    # Sorted: Snakemake lists a set, in another order each time.
    files = sorted(listed.split(", "))
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    return f"{what[0].lower()}{what[1:]}: {files[0]}{more}"


def failed(record: logging.LogRecord) -> str:
    """What failed, why in full, and where its log is."""
    lines = [f"\nFAILED: rule {record.rule_name}"]
    if record.rule_msg:
        lines.append(f"    {record.rule_msg}")
    for path in record.log:
        lines += ["", *(f"    {line}" for line in error_of_log(Path(path))), "", f"    Log: {path}"]
    for name, value in record.aux.items():
        lines.append(f"    {name}: {value}")
    return "\n".join(lines) + "\n"


def error_of_log(path: Path) -> list[str]:
    """The message that a job's log ends with; its last lines where there is none."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ["There is no log: the job could not be started, or its machine could not write."]
    messages = list(MESSAGE.finditer(text))
    if messages:
        return text[messages[-1].end() :].rstrip().splitlines()
    lines = text.rstrip().splitlines()[-LAST_LINES:]
    return lines or ["Its log is empty: the job was ended from outside before it said anything."]
