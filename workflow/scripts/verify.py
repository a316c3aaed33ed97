"""Whether a study's files are what was made: `python workflow/scripts/verify.py results/<study>`.

Digests from the making are compared with what lies there: tables, metrics, figures, arrays and
lists by their jobs' records, models and trials by the seals that they carry, and the prepared
images that the study uses. Ends with status 1 where anything differs.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from foldwise.errors import FoldwiseError, plural
from foldwise.files import listed, read_csv, read_json
from foldwise.hashing import digest, file_digest
from foldwise.origin import ENDING

# A file and what is wrong with it; empty where nothing is.
Finding = tuple[Path, str]


def recorded(results: Path) -> Iterator[Finding]:
    """Files of which the job that made them left a digest. One that is gone is made again."""
    for record in sorted(results.rglob(f"*{ENDING}")):
        facts = read_json(record)
        for name, sha in facts["files"].items():
            # Names begin with results/<study>; the folder may have been moved since.
            path = results.joinpath(*Path(name).parts[2:])
            if path.is_file():
                wrong = file_digest(path) != sha
                yield path, f"not what rule {facts['rule']} wrote on {facts['made']}" * wrong


def models(results: Path) -> Iterator[Finding]:
    """Kept weights and the states of trainings that were stopped."""
    # Imported here: it imports torch, which the other checks do without.
    from foldwise.train.sealed import load_sealed

    for path in [*listed(results, "runs/*/fold_*/results/*.pt"), *listed(results, "**/state/*.pt")]:
        yield _read(load_sealed, path)


def trials(results: Path) -> Iterator[Finding]:
    """What a search remembers of its trials."""
    from foldwise.search.trials import read_outcome, read_result, read_suggestion

    readers = {
        "suggestion.json": read_suggestion,
        "result.json": read_result,
        "fold_*/results/outcome.json": read_outcome,
    }
    for pattern, reader in readers.items():
        for path in listed(results, f"runs/trial_*/{pattern}"):
            yield _read(reader, path)


def images(results: Path) -> Iterator[Finding]:
    """Prepared images that the cohort names, in whichever cache they lie, and their lists."""
    cohort = results / "cohort.csv"
    shards = {row["shard"] for row in read_csv(cohort)} if cohort.is_file() else set()
    for cache in sorted((results.parent / "cache").glob("*")):
        for shard in sorted(shards):
            record, members = cache / f"logs/{shard}{ENDING}", cache / f"{shard}.txt"
            if members.is_file():
                wrong = digest(members.read_text(encoding="ascii").split()) != shard
                yield members, "not the list that its name is a digest of" * wrong
            for name, sha in read_json(record)["files"].items() if record.is_file() else ():
                path = cache / Path(name).name
                if path.is_file():
                    yield path, "not the images that were decoded" * (file_digest(path) != sha)


def _read(reader, path: Path) -> Finding:
    try:
        reader(path)
    except FoldwiseError as error:
        return path, str(error).removeprefix(str(path)).lstrip(" :")
    return path, ""


def verify(results: Path) -> tuple[list[Finding], int]:
    """What is wrong, and how many files were looked at."""
    if not results.is_dir():
        raise FoldwiseError(f"{results}: no such folder. Name a study's: results/<study>.")
    checks = (recorded, models, trials, images)
    findings = [finding for check in checks for finding in check(results)]
    return [(path, wrong) for path, wrong in findings if wrong], len(findings)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, help="a study's folder of results")
    try:
        damaged, number = verify(parser.parse_args().results)
    except FoldwiseError as error:
        sys.exit(str(error))
    for path, wrong in damaged:
        print(f"{path}: {wrong}")
    if damaged:
        sys.exit(
            f"{len(damaged)} of {plural(number, 'file')} differ from what was made. Delete them "
            "and run the same command again: what is needed is made anew."
        )
    print(f"{plural(number, 'file')} are what was made.")
