"""Checks before the queue: `python workflow/scripts/preflight.py [study ...]`."""

import argparse
import sys

from foldwise.cohort.understood import WOULD_STOP, report
from foldwise.errors import FoldwiseError
from foldwise.plan.preflight import decoders, preflight
from foldwise.settings.study import configured


def main() -> int:
    """Check the named studies, or those of the config file; 1 when one cannot succeed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("studies", nargs="*", help="studies; all of the config file if none")
    parser.add_argument("--configfile", default="config/config.yaml")
    parser.add_argument("--results", default="results")
    arguments = parser.parse_args()
    try:
        studies = configured(arguments.configfile, arguments.studies)
        warnings = [*preflight(studies, arguments.results), *decoders(studies)]
        lines = report(studies, f"{arguments.results}/private")
    except FoldwiseError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(lines))
    for warning in warnings:
        print(f"Warning: {warning}")
    if any(WOULD_STOP in line for line in lines):
        print("Not ready: see above what would stop the run.")
        return 1
    print(f"Ready: {', '.join(study['name'] for study in studies)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
