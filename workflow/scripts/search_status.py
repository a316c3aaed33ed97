"""How a search stands: `python workflow/scripts/search_status.py results/<study> [--last N]`.

It reads trial files alone, so it may be asked at any time, by anyone who can read them. With
`--database FILE` it writes what there is in Optuna's form, to look at a search that runs.
"""

import argparse
import sys
from pathlib import Path

from foldwise.errors import FoldwiseError
from foldwise.plan.state import fold_numbers
from foldwise.search.plan import Plan, outer_study, plan_of
from foldwise.search.status import table
from foldwise.settings.study import load_study


def planned(name: str, folder: Path) -> Plan | None:
    """The search as the study file plans it, also inside an outer fold; None without a file."""
    study, _, outer = name.partition(".outer_")
    if not (folder / f"{study}.yaml").is_file():
        return None
    settings = load_study(study, folder)
    if settings["search"] is None:
        raise FoldwiseError(f"Study '{study}' has no search. Add `search:` to its file.")
    settings = outer_study(settings, int(outer)) if outer.isdigit() else settings
    return plan_of(settings, fold_numbers(settings))


def write_live(results: Path, plan: Plan | None, database: Path) -> None:
    """Write the trials so far, also those that run, as a database for optuna-dashboard."""
    # Imported here: the table alone needs no library.
    from foldwise.search.storage import write_database
    from foldwise.search.trials import read_all

    if plan is None:
        raise FoldwiseError("A database needs the study file. Name its folder with --studies.")
    trials = read_all(results / "runs", plan.search)
    write_database(database, results.resolve().name, plan.search, trials)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, help="a study's folder of results")
    parser.add_argument("--last", type=int, help="show only the youngest trials")
    parser.add_argument("--studies", type=Path, default=Path("config/studies"))
    parser.add_argument("--database", type=Path, help="write an Optuna database of the trials")
    chosen = parser.parse_args()
    try:
        plan = planned(chosen.results.resolve().name, chosen.studies)
        if chosen.database:
            write_live(chosen.results, plan, chosen.database)
        print(table(chosen.results / "runs", plan and plan.search, chosen.last))
    except FoldwiseError as error:
        sys.exit(str(error))
