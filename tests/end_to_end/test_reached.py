"""What a job runs is what its digest of code is over: nothing decides a result unseen."""

import ast
import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

import flow
from foldwise.plan import fingerprint
from foldwise.plan.source import names_of
from foldwise.plan.state import FILLS_CACHE
from made import density_archive
from made_studies import EXAMPLES, example_of
from studies import settings

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
    notes.mkdir(exist_ok=True)
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


@dataclass(frozen=True)
class Case:
    """A study of a kind; all cases together run all rules.

    `make` fills a folder and gives the settings, `targets` are what is asked for, `rules` some of
    those that must have run. `site`: its bundle is then validated. `second`: another study of the
    same images, by changes of this one's settings, which its article compares with it.
    """

    make: Callable[[Path], dict]
    targets: tuple[str, ...]
    rules: str
    site: bool = False
    second: dict | None = None


SUSPECTS = "results/mine/private/suspects_cv.csv"
BUNDLE = "results/mine/bundle/mine-0.1.0.zip"
PAGE = "results/mine/report/index.html"
ARTICLE = "results/mine/article/article.html"
SPACE = {"training.lr": {"type": "float", "low": 1e-3, "high": 0.1, "log": True}}
# Each step of a search: random trials, a sampler's, a pruned one, one that is begun again.
SEARCH = {
    "trials": 3,
    "window": 2,
    "folds": 1,
    "sampler": {"name": "tpe", "startup": 1},
    "pruner": {"name": "median", "startup": 1, "warmup": 0},
    "inner_folds": 2,
    "space": SPACE,
}
OF_ALL = "cohort cache_shard audit folds fold train_fold predict_fold evaluate_fold cv_summary "
OF_ALL += "figure report_pack"


def _example(kind: str, **branches: Any) -> Callable[[Path], dict]:
    def make(folder: Path) -> dict:
        example = EXAMPLES[example_of(kind)]
        settings = example.make(folder, "made")
        example.models(folder / "made")
        return _merged(settings, branches)

    return make


def _merged(settings: dict, branches: dict) -> dict:
    both = {name: settings[name] | branches[name] for name in settings.keys() & branches.keys()}
    return settings | branches | both


def _density(folder: Path) -> dict:
    density_archive(folder / "made", patients=16, size=64)
    import torch  # late: the quick tests of this file do without
    import torchvision

    torch.save(torchvision.models.resnet50().state_dict(), folder / "made/resnet50.pt")
    table = {"columns": settings()["data"]["columns"] | {"subgroups": {"view": []}}}
    return settings(
        folds={"n": 2, "holdout": 0.25},
        seeds=[2],
        learning_curve=[40, 60, 80],
        data=table,
        model={"embedding_weights": "made/resnet50.pt"},
        runs={"cv": {}, "joined": {"model.embeddings": "resnet50"}},
        report={"compare": ["joined"], "baselines": ["logistic_statistics"], "subgroup_least": 2},
    )


def _distillation(folder: Path) -> dict:
    runs = {"cv": {}, "alone": {"training.teacher": None}, "crossed": {"loss.feature": 0}}
    runs["teacher"] = {"training.teacher": None, "model.dim": 8}
    made = _example(
        "distillation",
        runs=runs,
        loss={"temperature": 3, "feature": 1},
        training={"teacher": "teacher", "epochs": 2, "batch_size": 4},
        report={"compare": ["alone", "teacher", "crossed"], "gradcam_per_class": 1},
        bundle={"tokenizer": "checked"},
        search=SEARCH | {"space": SPACE | {"loss.beta": {"type": "int", "low": 1, "high": 9}}},
    )
    return made(folder)


CASES = {
    "classification": Case(
        _density,
        (PAGE, SUSPECTS, "article", "bundle", "crate", "seeds", "learning_curve"),
        "baseline baseline_holdout calibrate cases compare_reported conformal "
        "embeddings evaluate_holdout fit_learning_curve gradcam_fold label_suspects make_bundle "
        "name_suspects operating_points predict_holdout projections run_cost run_record "
        "seed_variance subgroup_values subgroups write_article write_crate",
        site=True,
    ),
    "zones": Case(
        # A batch that the training part of an inner fold can fill.
        _example(
            "zones",
            search=SEARCH,
            report={"gradcam_per_class": 1},
            training={"batch_size": 4},
        ),
        (PAGE, "search", "analysis", "tuned", "nested", "article"),
        "best_config best_params collect_search compare_runs gradcam_fold nested_params "
        "nested_summary outer_cohort search_analysis suggest_trial train_trial trial_result "
        "tuned_params",
    ),
    "segmentation": Case(
        _example("segmentation", search=SEARCH, article={"studies": ["second"]}),
        (PAGE, "search", "analysis", ARTICLE, BUNDLE),
        "collect_search compare_studies examples loss_gradients make_bundle search_analysis",
        site=True,
        second={"loss": {"name": "dice"}, "search": None, "article": {}},
    ),
    "distillation": Case(
        _distillation,
        (PAGE, "results/mine/audit/text_probe.json", "search", "tuned", "article", "bundle"),
        "compare_reported compare_runs teach_crossed teach_fold text_probe train_trial",
        site=True,
    ),
}
SITE = "predict_site evaluate_site site_page"


def test_the_studies_run_all_rules():
    expected = {rule for case in CASES.values() for rule in f"{OF_ALL} {case.rules}".split()}
    # Params are written down; a cluster's probe is no result.
    scripts = {
        path.stem
        for path in (flow.ROOT / "workflow" / "scripts").glob("*.py")
        if "with adapter(" in path.read_text()
    }
    assert scripts - {"cluster_probe", "run_params"} == expected | set(SITE.split())


@pytest.mark.slow
@pytest.mark.parametrize("kind", CASES)
def test_each_function_that_ran_is_part_of_its_rules_digest(tmp_path, monkeypatch, kind):
    # Digests that earlier runs have left would not be made, and not be noted, again.
    monkeypatch.setattr(flow, "KEPT", [])
    notes, folder, case = tmp_path / "notes", tmp_path / "study", CASES[kind]
    expected = set(f"{OF_ALL} {case.rules} {SITE if case.site else ''}".split())
    folder.mkdir()
    study = case.make(folder)
    flow.write_study(folder, "mine", study)
    if case.second is not None:
        both = yaml.safe_dump({"studies": ["mine", "second"]})
        flow.write_study(folder, "second", study | case.second)
        (folder / "config" / "config.yaml").write_text(both)
    run_watched(folder, notes, *case.targets)
    if case.site:
        flow.write_study(folder, "site", {"data": study["data"], "validate": {"bundle": BUNDLE}})
        run_watched(folder, notes)
    reached = digested(notes)
    ran = {path.name: path.read_text().splitlines() for path in notes.iterdir()}
    faults = {
        f"{rule}: {note}"
        for rule in RULES & set(ran)
        for note in set(ran[rule])
        if missed(note, reached[rule])
    }
    assert not faults, "\n".join(sorted(faults))
    assert expected <= set(ran), f"no job ran of {expected - set(ran)}"
