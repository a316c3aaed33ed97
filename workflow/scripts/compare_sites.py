"""One bundle at several sites: `python workflow/scripts/compare_sites.py A B C -o FOLDER`.

A, B, C are results/<study> of studies that validate the bundle, or the files
`external_summary.json` that their sites gave. Writes a table, a forest plot and a random-effects
summary.
"""

import argparse
import os
import sys
from pathlib import Path

from foldwise.bundle.sites import compare_sites, markdown, read_sites, write_comparison
from foldwise.errors import FoldwiseError


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sites", nargs="+", help="results/<study>, or external_summary.json")
    parser.add_argument("-o", "--out", type=Path, default=Path("sites"), help="folder to write")
    parser.add_argument("--metric", help="which metric; else the one that chose the weights")
    return parser.parse_args()


if __name__ == "__main__":
    os.umask(0o077)
    given = arguments()
    try:
        comparison = compare_sites(read_sites(given.sites), given.metric)
        write_comparison(comparison, given.out)
    except FoldwiseError as error:
        sys.exit(f"Error: {error}")
    print(f"{markdown(comparison)}\n{given.out}/sites.png")
