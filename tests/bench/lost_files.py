"""What looking for lost files costs a start with nothing to do: `python tests/bench/lost_files.py`.

Prints CPU seconds of Snakemake on a finished workflow of 5,001 jobs, alone and with
`foldwise.plan.lost`, three times each in turn.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"
JOBS = 2500
FINISHED = f"""
import sys
sys.path.insert(0, {str(SCRIPTS)!r})
from foldwise.plan import lost
from snakemake.dag import DAG
if config["again"]:
    lost.make_again(DAG)
rule all:
    input: expand("last/{{n}}", n=range({JOBS}))
rule last:
    input: "first/{{n}}"
    output: "last/{{n}}", "beside/{{n}}"
    shell: "touch {{output}}"
rule first:
    output: "first/{{n}}"
    shell: "touch {{output}}"
"""


def finish(folder: Path) -> None:
    """Write the workflow, and all files that it would make."""
    (folder / "Snakefile").write_text(FINISHED)
    for name in ("first", "last", "beside"):
        (folder / name).mkdir()
        for number in range(JOBS):
            (folder / name / str(number)).touch()
        time.sleep(0.01)  # what follows is newer


def seconds(folder: Path, again: bool) -> float:
    """CPU seconds of a start that finds nothing to do."""
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--config", f"again={again}"]
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE)
    said = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    if status or "Nothing to be done" not in said:
        sys.exit(said)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        finish(Path(name))
        for _ in range(3):
            alone, looking = (seconds(Path(name), again) for again in (False, True))
            print(f"alone {alone:.2f} s, looking for lost files {looking:.2f} s")
