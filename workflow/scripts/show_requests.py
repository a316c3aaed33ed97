"""What jobs asked for and what they used: `python workflow/scripts/show_requests.py`.

Reads the benchmarks of finished jobs and prints, rule by rule, requests that would have been
enough, and the lines of a profile that ask for them.
"""

import argparse
import sys
from pathlib import Path

import yaml

from foldwise.cluster.requests import measured, overrides, read_rules, table

SNAKEFILE = Path(__file__).parents[2] / "Snakefile"


def main() -> int:
    """Print the table and the profile's lines; 1 when no job has finished yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--snakefile", default=SNAKEFILE, help="the workflow that asked")
    parser.add_argument("--profile", help="folder of the profile whose set-resources hold")
    arguments = parser.parse_args()
    rows = [(rule, measured(rule)) for rule in read_rules(arguments.snakefile, arguments.profile)]
    rows = [(rule, use) for rule, use in rows if use.seconds]
    if not rows:
        print("No benchmark of a finished job under results/ yet.", file=sys.stderr)
        return 1
    print(table(rows))
    print("\n# Into the profile's config.yaml; `enough` is 1.5 times the memory and twice the")
    print("# time of the largest job. Keep more where your next study is larger.")
    print(yaml.safe_dump(overrides(rows), sort_keys=False), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
