"""The command line that made a report: what the user typed, without anything that may be private.

A command line may hold anything: folders of the archive, a patient's name in a path. So only what
is known to be harmless is kept, word by word, and the rest is an ellipsis. Standard library only:
the rule files read this.
"""

import re
import shlex
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from foldwise.files import read_json, write_json

LEFT_OUT = "..."
FILE = "results/{study}/logs/command.json"
# Names of options are Snakemake's own: it refuses others.
OPTION = re.compile(r"--[a-z][a-z-]*|-[A-Za-z]\d*")
NUMBER = re.compile(r"\d+|all|auto|unlimited")
RESULT = re.compile(r"results/(?P<study>[a-z0-9_.]+)/(?!.*(\.\.|private))[A-Za-z0-9_./-]+")
STUDIES = re.compile(r"studies=\[(?P<names>[\"'a-z0-9_, .]*)\]")
OWN_FILES = re.compile(r"(profiles/(default|ci|pbs|slurm)|config/(config|demo)\.yaml)/?")
WORDS = {
    *("mtime", "params", "input", "software-env", "code"),
    *("progress", "rules", "host", "reason", "conda", "apptainer", "local", "slurm", "pbspro"),
}


def remember(
    arguments: Sequence[str], studies: Collection[str], rules: Collection[str], changes: str
) -> None:
    """Keep a run's command line and its beginning beside the logs of each study.

    No rule names the file: what was typed must make nothing stale. `changes`: of `--config set`.
    """
    record = {"command": command_line(arguments, studies, rules), "started": _now(), "set": changes}
    for study in studies:
        write_json(FILE.format(study=study), record)


def remembered(study: str) -> dict[str, Any]:
    """{"command", "started"} of the run that is going on; empty where nothing was kept."""
    path = Path(FILE.format(study=study))
    return read_json(path) if path.exists() else {}


def command_line(arguments: Sequence[str], studies: Collection[str], rules: Collection[str]) -> str:
    """`snakemake` and those words of its arguments that are known to be harmless."""
    kept = [word for argument in arguments for word in [_kept(argument, studies, rules)]]
    words = ["snakemake"]
    for word in kept:
        # Several in a row are one: their number is nobody's business either.
        if word != LEFT_OUT or words[-1] != LEFT_OUT:
            words.append(word)
    return " ".join(words)


def _kept(argument: str, studies: Collection[str], rules: Collection[str]) -> str:
    option, equals, value = argument.partition("=")
    if argument.startswith("-"):
        if not OPTION.fullmatch(option):
            return LEFT_OUT
        return f"{option}={_kept(value, studies, rules)}" if equals else option
    result, named = RESULT.fullmatch(argument), STUDIES.fullmatch(argument)
    harmless = (
        NUMBER.fullmatch(argument)
        or OWN_FILES.fullmatch(argument)
        or argument in WORDS
        or argument in rules
        or (result and result["study"] in studies)
        or (named and set(re.findall(r"[a-z0-9_.]+", named["names"])) <= set(studies))
    )
    return shlex.quote(argument) if harmless else LEFT_OUT


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
