"""How a search stands: `python workflow/scripts/search_status.py results/<study> [--last N]`.

It reads trial files alone, so it may be asked at any time, by anyone who can read them. With
`--database FILE` it writes what there is in Optuna's form, to look at a search that runs.
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


def write_live(results: Path, folder: Path, database: Path) -> None:
    """Write the trials so far, also those that run, as a database for optuna-dashboard."""
    # Imported here: the table alone needs no library.
    from foldwise.config import load_study
    from foldwise.search.plan import plan_of
    from foldwise.search.storage import write_database
    from foldwise.search.trials import read_all
    from foldwise.state import fold_numbers

    study = load_study(results.resolve().name, folder)
    plan = plan_of(study, fold_numbers(study))
    if plan is None:
        raise FoldwiseError(f"Study '{study['name']}' has no search.")
    known = read_all(results / "runs", plan.search)
    write_database(database, study["name"], plan.search, known)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, help="a study's folder of results")
    parser.add_argument("--last", type=int, help="show only the youngest trials")
    parser.add_argument("--studies", type=Path, default=Path("config/studies"))
    parser.add_argument("--database", type=Path, help="write an Optuna database of the trials")
    chosen = parser.parse_args()
    try:
        if chosen.database:
            write_live(chosen.results, chosen.studies, chosen.database)
        total = planned(chosen.results.resolve().name, chosen.studies)
        print(table(chosen.results / "runs", total, chosen.last))
    except FoldwiseError as error:
        sys.exit(str(error))
