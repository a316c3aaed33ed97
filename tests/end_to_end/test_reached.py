"""What a job runs is what its digest of code is over: nothing decides a result unseen."""

import ast
import json
from collections import defaultdict
from pathlib import Path

import pytest

import flow
from foldwise.plan import fingerprint
from foldwise.plan.source import names_of
from foldwise.plan.state import FILLS_CACHE
from studies import density_study

# One writes down its params and nothing else.
RULES = {path.stem for path in (flow.ROOT / "workflow" / "scripts").glob("*.py")} - {"run_params"}
# What the script of a rule does whose digest is not over it. Which files hold a content, and by
# which key it is named, is found out again by the content itself, which is compared.
AROUND = {
    "cache_shard": [
        ("foldwise.adapter", "adapter"),
        ("foldwise.cohort.identity", "load_key"),
        ("foldwise.cohort.shards", "locate"),
        ("foldwise.cohort.shards", "read_list"),
        ("foldwise.pixels.isolation", "Limits"),
    ]
}
Part = tuple[str, int]


def run_watched(folder: Path, notes: Path, *targets: str) -> None:
    """Run the workflow with watched/sitecustomize.py, whose notes go to a folder."""
    notes.mkdir()
    watch = str(flow.ROOT / "tests" / "watched")
    flow.snakemake(folder, *targets, environment={"FOLDWISE_RAN": str(notes), "PYTHONPATH": watch})


def digested(notes: Path) -> dict[str, set[Part]]:
    """Rule -> module and number of each top-level part that digests of its code are over."""
    parts: dict[str, set[Part]] = defaultdict(set)
    for line in (notes / "digests").read_text().splitlines():
        digest = json.loads(line)
        # The cache's key is of the code that fills it, so that its rule needs no other digest.
        rule = "cache_shard" if set(FILLS_CACHE) < set(digest["of"]) else digest["of"][0]
        parts[rule] |= {(module, number) for module, number in digest["parts"]}
    for rule, entries in AROUND.items():
        walk = fingerprint.Walk(fingerprint.tree(), [])
        walk.digest_of([], entries)
        parts[rule] |= walk.parts
    return parts


def parts_named(module: str, names: list[str]) -> set[Part]:
    """The parts of a module that bind one of the names."""
    parts = fingerprint.tree().source(module).parts
    return {(module, n) for n, part in enumerate(parts) if set(names) & set(part.names)}


def names_at(module: str, line: int) -> list[str]:
    """Names that the top-level statement at a line of a module binds."""
    body = ast.parse(fingerprint.tree().code[module]).body
    # A decorator's line is above its function's; the next statement is below both.
    return names_of(next(node for node in body if line <= node.end_lineno))


def missed(note: str, reached: set[Part]) -> bool:
    """Whether a function ran that a digest is not over, and that may decide something."""
    module, name, *importer = note.split()
    if module in fingerprint.LEFT_OUT:
        return False
    if importer:
        # A part that is made on import decides something where it is used, and only there.
        own = parts_named(importer[0], names_at(importer[0], int(importer[1])))
        if own and not own & reached:
            return False
    return not parts_named(module, [name]) & reached


@pytest.mark.slow
def test_each_function_that_ran_is_part_of_its_rules_digest(tmp_path, monkeypatch):
    # Digests that earlier runs have left would not be made, and not be noted, again.
    monkeypatch.setattr(flow, "KEPT", [])
    notes = tmp_path / "notes"
    folder = density_study(tmp_path / "study", patients=8)
    run_watched(folder, notes, "results/mine/report/index.html")
    reached = digested(notes)
    ran = {path.name: path.read_text().splitlines() for path in notes.iterdir()}
    assert {"cohort", "cache_shard", "train_fold", "cv_summary", "report_pack"} <= set(ran)
    faults = {
        f"{rule}: {note}"
        for rule in RULES & set(ran)
        for note in set(ran[rule])
        if missed(note, reached[rule])
    }
    assert not faults, "\n".join(sorted(faults))
