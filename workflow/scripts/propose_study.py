"""A study file for your data: `python workflow/scripts/propose_study.py ARCHIVE TABLE`.

Looks at the table, the archive's names and a sample of headers, and writes
`config/studies/<name>.yaml` with a reason behind each setting. Nothing else is written.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

from foldwise.errors import FoldwiseError
from foldwise.files import write_text
from foldwise.proposal.facts import look
from foldwise.proposal.study import propose, study_text
from foldwise.settings.study import load_study


def main(words: list[str] | None = None) -> int:
    """Propose what the words ask for; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path)
    parser.add_argument("table", type=Path)
    parser.add_argument("--name", default="mine", help="of the study; the file's name")
    parser.add_argument("--label", help="column of the label, where it is not found by its name")
    parser.add_argument("--patient", help="column of what must not be split, likewise")
    parser.add_argument("--studies", type=Path, default=Path("config/studies"))
    arguments = parser.parse_args(words)
    try:
        print(make(arguments))
    except FoldwiseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def make(arguments: argparse.Namespace) -> str:
    """Write the study file and return what to do next."""
    out = arguments.studies / f"{arguments.name}.yaml"
    if not re.fullmatch(r"[a-z][a-z0-9_]*", arguments.name):
        raise FoldwiseError(f"--name {arguments.name}: use small letters, digits and _.")
    if out.exists():
        raise FoldwiseError(f"{out} is there already. Take another --name, or remove it.")
    facts = look(arguments.archive, arguments.table, arguments.label, arguments.patient)
    text = study_text(facts, propose(facts, memory()), str(arguments.archive), str(arguments.table))
    write_text(out, text)
    load_study(arguments.name, arguments.studies)
    return (
        f"{text}\nWritten to {out}. Read it, then:\n"
        f"  python workflow/scripts/preflight.py {arguments.name}\n"
        f"  snakemake --config 'studies=[\"{arguments.name}\"]'"
    )


def memory() -> int:
    """Bytes that training may use: of the smallest GPU where there is one, else of the machine."""
    try:
        command = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20).stdout
        return min(int(line) for line in answer.split()) << 20
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


if __name__ == "__main__":
    sys.exit(main())
