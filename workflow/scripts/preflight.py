"""Checks before the queue: `python workflow/scripts/preflight.py [study ...]`."""

import argparse
import sys

from foldwise.config import load_study
from foldwise.errors import FoldwiseError
from foldwise.preflight import decoders, preflight
from foldwise.schema import check, read_yaml


def main() -> int:
    """Check the named studies, or those of the config file; 1 when one cannot succeed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("studies", nargs="*", help="studies; all of the config file if none")
    parser.add_argument("--configfile", default="config/config.yaml")
    parser.add_argument("--results", default="results")
    asked = parser.parse_args()
    try:
        config = check("config", read_yaml(asked.configfile), asked.configfile)
        names = asked.studies or config["studies"]
        studies = [load_study(name, config["folder"]) for name in names]
        warnings = [*preflight(studies, asked.results), *decoders(studies)]
    except FoldwiseError as error:
        print(error, file=sys.stderr)
        return 1
    for warning in warnings:
        print(f"Warning: {warning}")
    print(f"Ready: {', '.join(names)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
