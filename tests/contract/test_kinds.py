"""What every kind of study keeps: the same bits, nothing stale, nothing private, one message.

Runs over all kinds of the registry; each has a tiny made-up study in tests/made_studies.py.
"""

import hashlib
import multiprocessing
import os
import random
import re
import shutil
import signal
import stat

import pytest
import yaml

from flow import rules_by_study, snakemake
from foldwise.evaluate.fold import evaluate_fold
from foldwise.files import read_csv, read_json, write_csv
from foldwise.registry import entry, load, names
from foldwise.train.machine import set_threads
from made_finished import KINDS, NATIVE, TARGETS, Fold, make_finished, write_studies
from made_studies import CANARY, EXAMPLES, example_of

IDENTITY = ["sample", "group", "exam", "fold"]
TRAINING_ON = {"train_fold", "predict_fold", "evaluate_fold"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder in which all kinds ran, and what the workflow said."""
    folder = tmp_path_factory.mktemp("finished")
    return folder, make_finished(folder)


@pytest.fixture(scope="module", params=[*KINDS, NATIVE])
def fold(request, finished):
    """The first fold of each kind, and of pictures at their own scale."""
    set_threads(1)
    before = os.getcwd()
    os.chdir(finished[0])  # paths in settings are relative to where snakemake runs
    yield Fold(finished[0], request.param)
    os.chdir(before)


@pytest.fixture
def copy(finished, tmp_path):
    """A copy of the finished folder to change; times of files are kept."""
    folder = tmp_path / "copy"
    shutil.copytree(finished[0], folder, symlinks=True)
    return folder


def test_every_kind_and_reader_has_an_example():
    assert {example.kind for example in EXAMPLES.values()} == set(KINDS), "see made_studies.py"
    assert set(EXAMPLES) == set(names("READERS")), "see made_studies.py"


def model(folder):
    return hashlib.sha256((folder / "best_model.pt").read_bytes()).hexdigest()


def test_trained_again_under_other_names_it_ends_in_the_same_bits(fold, tmp_path):
    assert model(fold.train(tmp_path, renamed=True)) == model(fold.results)


def test_killed_and_run_again_it_ends_in_the_same_bits(fold, tmp_path):
    def die(history):
        if len(history) == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    job = multiprocessing.get_context("fork").Process(target=fold.train, args=(tmp_path, die))
    job.start()
    job.join(timeout=120)
    assert job.exitcode == -signal.SIGKILL
    assert not (tmp_path / "results" / "best_model.pt").exists()
    told = []
    out = fold.train(tmp_path, lambda history: told.append(len(history)))
    assert told == [2], "the first epoch was saved and is not trained again"
    assert model(out) == model(fold.results)
    assert list((tmp_path / "state").glob("*.pt")), "kept until a later job has read the results"


def test_its_table_of_predictions_names_each_sample_once_and_nobody(fold):
    table = read_csv(fold.results / "val_predictions.csv")
    assert list(table[0])[: len(IDENTITY)] == IDENTITY
    # In order of content, which no name decides.
    assert [row["sample"] for row in table] == [row["sample"] for row in fold.rows["val"]]
    assert {row["fold"] for row in table} == {"1"}
    assert not set(table[0]) & {"accession", "patient", "file", "content"}


def test_its_metrics_hold_every_monitor_and_are_those_of_the_kept_weights(fold):
    table = read_csv(fold.results / "val_predictions.csv")
    scores, measured = fold.task.score(table), load("MEASURES", fold.kind)(fold.params["task"])
    assert set(measured.monitors) <= set(scores)
    assert set(measured.monitors.values()) <= {"max", "min"}
    best = read_json(fold.results / "train_history.json")["best"]
    assert best["monitor"] == fold.task.monitor(None)[0]
    assert best["score"] == pytest.approx(scores[best["monitor"]], rel=1e-6)
    written = read_json(fold.results / "metrics" / "val_metrics.json")
    assert {name: written[name] for name in scores if scores[name] == scores[name]} == {
        name: value for name, value in scores.items() if value == value
    }


def test_its_evaluation_does_not_depend_on_the_order_of_rows(fold, tmp_path):
    table = read_csv(fold.results / "val_predictions.csv")
    random.Random(1).shuffle(table)
    write_csv(tmp_path / "shuffled.csv", list(table[0]), table)
    measures = load("MEASURES", fold.kind)(fold.params["task"])
    evaluate_fold(tmp_path / "shuffled.csv", measures, tmp_path)
    written = fold.results / "metrics" / "val_metrics.json"
    first, again = (flat(read_json(path)) for path in (written, tmp_path / "val_metrics.json"))
    assert again.keys() == first.keys()
    for name, value in first.items():
        # Sums of floats in another order end in other last bits.
        expected = pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
        assert again[name] == expected, name


def flat(value, path=""):
    """Dotted path -> value of nested JSON."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return {k: v for name, inner in items for k, v in flat(inner, f"{path}.{name}").items()}
    return {path: value}


def test_nobody_is_named_outside_private_folders(finished):
    folder, said = finished
    assert CANARY not in said
    private = ""
    for base in ("results", ".snakemake"):
        for path in (folder / base).rglob("*"):
            name = str(path.relative_to(folder))
            if "private" in path.parts:
                private += path.read_text() if path.is_file() else ""
                continue
            assert CANARY not in name
            if path.is_file():
                assert CANARY.encode() not in path.read_bytes(), name
            if base == "results":
                assert not stat.S_IMODE(path.lstat().st_mode) & 0o077, name
    assert private.count(CANARY) > 100, "the canary must have been there to be found"


def planned(folder):
    """Kind -> rules that would run; a study is named as its kind."""
    done = snakemake(folder, "--dry-run", *TARGETS, root=folder / "project")
    return rules_by_study(done.stdout + done.stderr)


def test_nothing_is_stale_at_first(finished):
    assert planned(finished[0]) == {}


def test_a_lost_file_that_no_job_needs_is_made_again_and_stops_nothing(copy):
    for kind in KINDS:
        (copy / f"results/{kind}/findings.csv").unlink()
        (copy / f"results/{kind}/runs/cv/fold_1/results/metrics/val_metrics.json").unlink()
    # What the cohort comes to is known only once it has run; a plan lists all that may follow.
    expected = planned(copy)
    done = snakemake(copy, *TARGETS, root=copy / "project")
    executed = rules_by_study(done.stdout + done.stderr)
    assert executed == {kind: {"cohort", "evaluate_fold"} for kind in KINDS}
    assert all(executed[kind] <= expected[kind] for kind in KINDS)


def test_a_learning_rate_reruns_training_on(copy):
    write_studies(copy, training={"lr": 0.02})
    assert planned(copy) == dict.fromkeys(KINDS, {"run_params"} | TRAINING_ON)


@pytest.mark.parametrize("kind", KINDS)
def test_the_code_of_its_loss_concerns_the_kinds_that_use_it(copy, kind):
    modules = {}
    for other in KINDS:
        loss = read_json(copy / f"results/{other}/runs/cv/params.json")["loss"]["name"]
        modules[other] = entry("LOSSES", loss)
    concerned = [
        other
        for other in KINDS
        if modules[other] == modules[kind] or imports(copy, modules[other][0], *modules[kind])
    ]
    change(copy, *modules[kind])
    assert planned(copy) == dict.fromkeys(concerned, TRAINING_ON)


def imports(folder, module, of, name):
    """Whether a loss's module, or one of other losses that it is made of, imports a function."""
    text = source(folder, module).read_text()
    others = re.findall(r"from (foldwise\.losses\.\w+) import ([\w, ]+|\([^)]*\))", text)
    here = any(other == of and re.search(rf"\b{name}\b", names) for other, names in others)
    return here or any(imports(folder, other, of, name) for other, _ in others)


def test_the_code_of_a_figure_reruns_that_figure_alone(copy):
    change(copy, *entry("FIGURES", "cohort_flow"))
    assert planned(copy) == {kind: {"figure"} for kind in KINDS}


def change(folder, module, name):
    """Change a function of the copied project in what it says, not in what it does."""
    path = source(folder, module)
    text = path.read_text()
    assert f"\ndef {name}(" in text
    path.write_text(text.replace(f"\ndef {name}(", f"\n@(lambda same: same)\ndef {name}("))


def source(folder, module):
    return folder / "project/workflow/scripts" / (module.replace(".", "/") + ".py")


def test_one_label_reruns_folds_on(copy):
    for kind in KINDS:
        reader = example_of(kind)
        EXAMPLES[reader].relabel(copy / f"made_{reader}")
    cohorts = [f"results/{kind}/cohort.csv" for kind in KINDS]
    snakemake(copy, *cohorts, root=copy / "project")
    rules = planned(copy)
    for kind in KINDS:
        assert rules[kind] >= {"folds", *TRAINING_ON}, kind
        assert "run_params" not in rules[kind], kind


def test_an_archive_that_is_gone_is_one_message_a_study(copy):
    for kind in KINDS:
        path = copy / "config/studies" / f"{kind}.yaml"
        settings = yaml.safe_load(path.read_text())
        settings["data"]["root"] = f"nowhere/{kind}"
        path.write_text(yaml.safe_dump(settings))
    done = snakemake(copy, "--keep-going", *TARGETS, root=copy / "project", check=False)
    said = done.stdout + done.stderr
    assert done.returncode
    assert "Traceback" not in said
    for kind in KINDS:
        assert f"nowhere/{kind}" in said
    assert said.count("data.root") == len(KINDS)
