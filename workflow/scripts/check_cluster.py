"""Submit one small CPU job and one GPU job and say what works.

    python workflow/scripts/check_cluster.py --profile pbs

Ctrl-C while they are queued removes them again.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

from foldwise.cluster.probe import unseen_here, verdict
from foldwise.files import private_folder, read_json

SNAKEFILE = Path(__file__).parents[1] / "cluster_check.smk"
RESULTS = Path("results/private/cluster_check")  # what a node does not see is named by its path
SHOWN = r"Submitted|Job \d+ has been submitted|PBS: |NOT CANCELLED|Deleted"


def submit(profile: str, jobs: list[str]) -> str:
    """Run the probes through the profile; what Snakemake said."""
    command = [sys.executable, "-m", "snakemake", *jobs, "--snakefile", str(SNAKEFILE)]
    command += ["--profile", profile, "--retries", "0", "--keep-going", "--forceall"]
    driver = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines = []
    while True:
        try:
            for line in driver.stdout:
                lines.append(line)
                if re.match(SHOWN, line):
                    print(line.rstrip(), flush=True)
            driver.wait()
            return "".join(lines)
        except KeyboardInterrupt:
            print("Waiting until the jobs are removed again.", flush=True)


def report_probe(name: str, output: str, unseen: list[str]) -> bool:
    """Print what a probe found, or why it did not run. True if all of it works.

    `unseen` is what this machine does not see either.
    """
    path = RESULTS / f"{name}.json"
    if path.exists():
        facts = read_json(path)
        print(f"\n{name.upper()} job ran on {facts['node']}:")
        lines = verdict(facts, sys.executable, unseen)
        for works, sentence in lines:
            print(f"  {'works' if works else 'FAILS'}  {sentence}")
        return all(works for works, _ in lines)
    print(f"\n{name.upper()} job FAILED:")
    block = re.search(rf"Error in rule {name}_probe.*?message: (.*?)\n +jobid:", output, re.S)
    print(f"  {block[1].strip() if block else output.strip()[-2000:]}")
    return False


def main() -> int:
    """0 when everything that a study needs works."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--profile", default="profiles/pbs")
    parser.add_argument("--only", choices=("cpu", "gpu"), help="one of the two jobs")
    arguments = parser.parse_args()
    names = [arguments.only] if arguments.only else ["cpu", "gpu"]
    private_folder(RESULTS.parent)
    for name in names:
        (RESULTS / f"{name}.json").unlink(missing_ok=True)
    output = submit(arguments.profile, [str(RESULTS / f"{name}.json") for name in names])
    unseen = unseen_here()
    works = [report_probe(name, output, unseen) for name in names]
    return int(not all(works))


if __name__ == "__main__":
    sys.exit(main())
