"""Which rules a key of a study makes anew: what rules read, asked before and after a change.

What a rule reads stands in its file as functions of the wildcards (`params`, `input`). Each is
called for a job of a study as it is, and again with one key changed in memory: the rules whose
answers differ are those that the key concerns at first hand. What follows from their results runs
too.
"""

import copy
import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from foldwise.errors import FoldwiseError
from foldwise.hashing import digest
from foldwise.plan import state
from foldwise.plan.evidence import Evidence
from foldwise.plan.reports import Reports
from foldwise.plan.searches import Searches
from foldwise.plan.studies import Studies
from foldwise.search.plan import plan_of
from foldwise.settings.schema import check, schema

ROOT = Path(__file__).parents[1]
RULE = re.compile(r"^(?:rule|checkpoint) (\w+):\n((?:    .*\n|\n)*)", re.MULTILINE)
FUNCTION = re.compile(r"\b(studies|searches|reports|evidence)\.(\w+)(\([^()]*\))?")
# A job of each rule: the first of everything. Rules of one study alone ask for less.
JOB = {
    "study": "density",
    "run": "cv",
    "fold": "1",
    "number": "0001",
    "seed": "",
    "outer": "1",
    "figure": "metrics",
    "baseline": "prior",
}
# Where things are is no setting of results; what a run is called by is not one key.
LEFT_OUT = ("name", "runs")
SPACE = {"training.lr": {"type": "float", "low": 0.001, "high": 0.1}}
SET = f"'search={json.dumps({'space': SPACE})}'"
# How a job is run, which changes no result; and what is asked of all studies or of the disk.
UNTOLD = (
    "threads",
    "targets",
    "all_targets",
    "archive",
    "run",
    "figure_title",
    "packs",
    "recall_audit",
)
# Their keys are the user's own.
WHOLE = {("search", "space"), ("data", "classes", "mapping")}


class Job(dict):
    """Wildcards: attributes and `get`, as Snakemake's."""

    __getattr__ = dict.__getitem__


Call = tuple[str, str, str]


def functions() -> dict[str, tuple[list[Call], set[str]]]:
    """Rule -> (object, method, arguments) of what its params and inputs ask, and its wildcards."""
    calls_of = {}
    for path in sorted((ROOT / "workflow" / "rules").glob("*.smk")):
        for rule, body in RULE.findall(path.read_text(encoding="utf-8")):
            calls = [call for call in FUNCTION.findall(body) if call[1] not in UNTOLD]
            calls_of[rule] = calls, set(re.findall(r"\{(\w+)\}", body)) - {"trial"}
    return calls_of


def answers(studies: Studies) -> dict[str, str]:
    """Rule -> a digest of all that it reads of the settings."""
    objects = {"studies": studies, "searches": Searches(studies), "reports": Reports(studies)}
    objects["evidence"] = Evidence(studies)
    job = JOB | {"key": next(iter(studies.caches))}
    digests = {}
    for rule, (calls, wildcards) in functions().items():
        own = Job({name: job[name] for name in wildcards if name in job})
        read = [_answer(objects[name], method, text, own) for name, method, text in calls]
        digests[rule] = digest([repr(one) for one in read])
    return digests


def _answer(owner: Any, method: str, arguments: str, job: Job) -> Any:
    function = getattr(owner, method)
    if not arguments:
        return function(job)
    names = re.findall(r'"([^"]*)"', arguments)
    return function(*names)(job)


def leaves(settings: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Path of each key of complete settings that holds no others."""
    for name, value in settings.items():
        if isinstance(value, dict) and value and (*path, name) not in WHOLE:
            yield from leaves(value, (*path, name))
        elif name not in LEFT_OUT:
            yield (*path, name)


def options(path: tuple[str, ...]) -> list[Any]:
    """What the schema lets a key be, where it names it."""
    part = schema("study")
    for name in path:
        part = part.get("properties", {}).get(name, {})
    return part.get("enum", [])


# Other values that no rule of thumb comes to.
OTHERS = {
    "data.classes.order": ["B", "A", "C", "D"],
    "data.subset": 20,
    "image.percentiles": [1.0, 99.0],
    "training.monitor": "auc",
    "training.optimizer": "sgd",
    "model.name": "small_cnn",
    "model.normalisation": "imagenet",
    "model.trainable_blocks": 2,
    "loss.name": "focal",
    "loss.class_weights": "balanced",
    "search.space": {"training.lr": {"type": "float", "low": 0.01, "high": 0.1}},
    "search.objective": "auc",
    "search.folds": 2,
    "search.seeds": [3],
    "report.search": ["search"],
    "report.baselines": [],
}


def changes(path: tuple[str, ...], value: Any) -> Iterator[Any]:
    """Other values to try: those named, options, numbers near, anything."""
    key = ".".join(path)
    if key in OTHERS:
        yield OTHERS[key]
    yield from (option for option in options(path) if option != value)
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from (value + 1, value / 2 or 0.1, value * 0.9)
    elif isinstance(value, list):
        yield from ([*value, "added"], value[:-1])
    elif isinstance(value, dict):
        yield value | {"added": 1}
    else:
        yield from (f"{value or ''}x", 3, 0.1, ["a", "b"])


def with_change(base: Studies, path: tuple[str, ...], value: Any) -> Studies:
    """The studies with one key of the first changed, as if its file said so."""
    altered = copy.copy(base)
    study = copy.deepcopy(base.by_name[JOB["study"]])
    place = study
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    altered.by_name = base.by_name | {JOB["study"]: study}
    altered.caches = {state.cache_key(study): study}
    altered.plans = base.plans | {JOB["study"]: plan_of(study, state.fold_numbers(study))}
    altered.remember()
    return altered


def concerned() -> dict[str, list[str]]:
    """Key -> rules that it makes anew at first hand; without keys that this study cannot have."""
    config = {"studies": [JOB["study"]], "folder": str(ROOT / "config" / "studies")}
    base = Studies(check("config", config | {"set": SET}, "tools/reruns.py"))
    before, rules_of = answers(base), {}
    for path in leaves(base.by_name[JOB["study"]]):
        after = first_answers(base, path)
        if after:
            key = ".".join(path)
            rules_of[key] = sorted(rule for rule in before if after[rule] != before[rule])
    return rules_of


def first_answers(base: Studies, path: tuple[str, ...]) -> dict[str, str]:
    """What rules read after the first change of a key that is none that is refused."""
    value = functools.reduce(dict.__getitem__, path, base.by_name[JOB["study"]])
    for other in (other for other in changes(path, value) if other != value):
        try:
            return answers(with_change(base, path, other))
        except (FoldwiseError, KeyError):
            continue
    return {}


# They show all settings of a study: any key makes them anew.
SHOWING = {"report_pack", "best_config", "write_article", "write_crate"}
BEGIN, END = "<!-- made by `make docs` -->\n", "<!-- end -->\n"


def table(rules_of: dict[str, list[str]]) -> str:
    """Keys that concern the same rules in a line, below what each of them makes anew."""
    alike: dict[str, list[str]] = {}
    for key, rules in rules_of.items():
        names = ", ".join(f"`{rule}`" for rule in rules if rule not in SHOWING)
        alike.setdefault(names or "none beside these", []).append(f"`{key}`")
    lines = ["| Keys | Rules that read them |", "| --- | --- |"]
    lines += [f"| {', '.join(keys)} | {names} |" for names, keys in alike.items()]
    return "\n".join(lines) + "\n"


def in_page(page: str, rules_of: dict[str, list[str]]) -> str:
    """The page with the table between its two marks."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}{table(rules_of)}{END}{rest.partition(END)[2]}"


def write_page() -> str:
    """Put the table into docs/reruns.md; returns the file's name."""
    path = ROOT / "docs" / "reruns.md"
    path.write_text(in_page(path.read_text(encoding="utf-8"), concerned()), encoding="utf-8")
    return path.name
