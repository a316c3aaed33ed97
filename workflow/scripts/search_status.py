"""How a search stands: `python workflow/scripts/search_status.py results/<study> [--last N]`.

It reads trial files alone, so it may be asked at any time, by anyone who can read them.
"""

import argparse
import sys
from pathlib import Path

from foldwise.errors import FoldwiseError
from foldwise.schema import read_yaml
from foldwise.search.status import table


def planned(study: str, folder: Path) -> int | None:
    """Trials that the study file plans, or None where there is no such file."""
    path = folder / f"{study}.yaml"
    search = (read_yaml(path) if path.is_file() else {}).get("search") or {}
    phases = search.get("phases")
    return sum(phase["trials"] for phase in phases) if phases else search.get("trials")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, help="a study's folder of results")
    parser.add_argument("--last", type=int, help="show only the youngest trials")
    parser.add_argument("--studies", type=Path, default=Path("config/studies"))
    chosen = parser.parse_args()
    try:
        total = planned(chosen.results.resolve().name, chosen.studies)
        print(table(chosen.results / "runs", total, chosen.last))
    except FoldwiseError as error:
        sys.exit(str(error))
