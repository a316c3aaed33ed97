"""What a job costs beside its work: `python tests/bench/warm_jobs.py [--jobs 60] [--seconds 1]`.

Runs so many jobs that import PyTorch and then work for so long, two at a time, as a run of this
workflow would, once as processes of their own and once forked from a parent, and prints the wall
time of both over the ideal (all work on two cores and nothing else).
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPTS, PROFILE = ROOT / "workflow" / "scripts", ROOT / "profiles" / "default"
SNAKEFILE = """
import sys
sys.path.insert(0, {scripts!r})
from foldwise.plan import faster, rate
from foldwise.plan.warm import jobs as warm_jobs

faster.plan()

onstart:
    rate.rest(workflow.scheduler, workflow.local_exec)
    warm_jobs.install({jobs})

rule all:
    input: expand("made/{{number}}", number=range({jobs})),

rule work:
    output: "made/{{number}}",
    log: "logs/{{number}}",
    benchmark: "times/{{number}}.tsv",
    script: "work.py"
"""
WORK = """
import time
import torch
end = time.monotonic() + {seconds}
while time.monotonic() < end:
    pass
open(snakemake.output[0], "w").close()
"""


def wall(jobs: int, seconds: float, warm: bool) -> float:
    """Seconds a job once both cores are busy and the parent is there."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "Snakefile").write_text(SNAKEFILE.format(scripts=str(SCRIPTS), jobs=jobs))
        (root / "work.py").write_text(WORK.format(seconds=seconds))
        environment = os.environ | {"FOLDWISE_WARM": str(int(warm))}
        command = [sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", "all"]
        command += ["--workflow-profile", str(PROFILE)]
        began = time.monotonic()
        subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True)
        whole = time.monotonic() - began
        ends = sorted(path.stat().st_mtime for path in (root / "made").iterdir())
        # The last three quarters: the parent is there, and both cores are busy.
        part = len(ends) // 4
        print(f"{'warm' if warm else 'cold'}: {whole:.1f} s in all", flush=True)
        return (ends[-1] - ends[part]) / (len(ends) - 1 - part)


def main() -> None:
    """Print both ways side by side."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--warm-only", action="store_true", help="leave the cold ones out")
    asked = parser.parse_args()
    ideal = asked.seconds / 2
    for warm in (True,) if asked.warm_only else (False, True):
        each = wall(asked.jobs, asked.seconds, warm)
        extra = 2 * (each - ideal)
        print(f"  {each / ideal:.2f} times the ideal; {extra:.2f} s a job beside its work")


if __name__ == "__main__":
    main()
