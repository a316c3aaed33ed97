"""A search's files and its analysis from another system's table of results.

python workflow/scripts/import_search.py TABLE.csv [--name NAME] [--value COLUMN] [--better max|min]
"""

import argparse
import re
import sys
from pathlib import Path

from foldwise.errors import FoldwiseError
from foldwise.search.analysis.foreign import read_search, write_search
from foldwise.search.analysis.write import write_analysis


def arguments() -> argparse.Namespace:
    """What was typed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path, help="CSV file: one row a configuration")
    parser.add_argument("--name", help="name of the search; by default the table's")
    parser.add_argument("--value", help="column of the best value of each row")
    parser.add_argument("--better", choices=["max", "min"], help="which values are better")
    return parser.parse_args()


def main(given: argparse.Namespace) -> Path:
    """Write results/<name>/search and return that folder."""
    name = given.name or re.sub(r"\W+", "_", given.table.stem)
    if not given.table.is_file():
        raise FoldwiseError(f"No file {given.table}. Name a CSV file with one row a configuration.")
    folder = Path("results", name, "search")
    if Path("results", name, "runs").exists():
        raise FoldwiseError(
            f"results/{name} is a study's own results. Give the table another name by --name."
        )
    searched = read_search(given.table, name, given.value, given.better)
    write_search(folder, searched)
    write_analysis(folder / "analysis", searched)
    return folder


if __name__ == "__main__":
    try:
        print(f"Wrote {main(arguments())}: start with analysis/REPORT.md")
    except FoldwiseError as error:
        sys.exit(str(error))
