"""A holdout from archive to report: in no fold, judged at the end, seen by no trial."""

import csv

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from flow import plan, rules_of, run, snakemake, write_study
from foldwise.evaluate.wording import called
from foldwise.files import read_csv, read_json
from made_studies import EXAMPLES, example_of
from once import copied, finished_holdout, holdout_settings, once
from studies import density_study, settings

SEARCH = {
    "trials": 2,
    "folds": 1,
    "space": {"training.lr": {"type": "categorical", "choices": [0.01, 0.02]}},
}
JUDGED = {"predict_holdout", "evaluate_holdout"}
CV = "results/mine/runs/cv"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = once(tmp_path_factory, finished_holdout)
    return copied(folder, tmp_path_factory.mktemp("holdout") / "study")


def test_its_patients_are_in_no_fold(finished):
    check_apart(finished)


def check_apart(folder):
    """What was held out is in the file of folds as such, and no fold has judged it."""
    held = {row["sample"] for row in read_csv(folder / CV / "holdout/results/val_predictions.csv")}
    fold = read_csv(folder / "results/mine/folds/fold_1.csv")
    assert held == {row["sample"] for row in fold if row["part"] == "holdout"}
    for number in (1, 2):
        path = folder / CV / f"fold_{number}/results/val_predictions.csv"
        assert not held & {row["sample"] for row in read_csv(path)}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["zones", "segmentation", "distillation"])
def test_every_kind_has_one_from_archive_to_report(kind, tmp_path):
    example = EXAMPLES[example_of(kind)]
    study = example.make(tmp_path, "made")
    example.models(tmp_path / "made")
    study["folds"] |= {"holdout": 0.3}
    # Of what is left of so few images an epoch has to be more than one step.
    study["training"] |= {"batch_size": 4}
    write_study(tmp_path, "mine", study)
    assert rules_of(run(tmp_path)) >= JUDGED
    check_apart(tmp_path)
    check_together(tmp_path, kind)
    summary = read_json(tmp_path / CV / "holdout_summary.json")
    text = (tmp_path / "results/mine/report/report.md").read_text()
    section = text.partition("## Holdout")[2].partition("\n## ")[0]
    monitored = read_json(tmp_path / CV / "cv_summary.json")["best_fold"]["metric"]
    value = summary["ensemble"]["image"]["metrics"][monitored]["value"]
    assert f"| {called(monitored)[0]} | {value:.3f} |" in section


def check_together(folder, kind):
    """What all models say together is the mean of what each says; of masks, of their maps."""
    results = folder / CV / "holdout/results"
    together = read_csv(results / "val_predictions.csv")
    if kind == "segmentation":
        maps = np.load(results / "maps_val.npy")
        for map_hw, row in zip(maps, together, strict=True):
            # At 127 and 128 of 255 rounding hides on which side of one half a pixel was.
            near = np.isin(map_hw, (127, 128)).sum()
            assert abs((map_hw > 127).sum() - float(row["predicted"])) <= near
        return
    alone = {}
    for row in read_csv(results / "fold_predictions.csv"):
        alone.setdefault(row["sample"], []).append(row)
    for row in together:
        for name in (name for name in row if name.startswith("p_")):
            mean = np.mean([float(one[name]) for one in alone[row["sample"]]])
            assert float(row[name]) == pytest.approx(mean, abs=1e-6)


def test_its_metrics_are_those_of_the_mean_probabilities(finished):
    alone = read_csv(finished / CV / "holdout/results/fold_predictions.csv")
    mean = {}
    for row in alone:
        mean[row["sample"]] = mean.get(row["sample"], 0) + float(row["p_A"]) / 2
    truth = {row["sample"]: row["label"] for row in alone}
    said = ["A" if mean[sample] > 0.5 else "B" for sample in truth]
    summary = read_json(finished / CV / "holdout_summary.json")
    accuracy = summary["ensemble"]["image"]["metrics"]["accuracy"]["value"]
    assert accuracy == pytest.approx(accuracy_score(list(truth.values()), said), abs=1e-9)
    assert summary["n"] == len(truth) == len(alone) / 2
    assert len(summary["folds"]) == 2


def test_the_page_tells_it_apart(finished):
    text = (finished / "results/mine/report/report.md").read_text()
    section = text.partition("## Holdout")[2]
    assert "never used for training, for selection" in " ".join(section.split())
    assert "figures/holdout_confusion.png" in section


def test_what_it_follows_from_reruns_it_and_nothing_else_does(finished):
    assert plan(finished) == set()
    (finished / CV / "holdout_summary.json").unlink()
    assert rules_of(plan(finished)) == {"evaluate_holdout", "figure", "report_pack"}
    assert "evaluate_holdout" in rules_of(run(finished))
    write_study(finished, "mine", holdout_settings(training={"epochs": 3}))
    assert rules_of(plan(finished)) >= {"train_fold", *JUDGED}
    write_study(finished, "mine", holdout_settings())


def test_no_trial_makes_or_sees_it(finished):
    write_study(finished, "mine", holdout_settings(search=SEARCH))
    assert not JUDGED & rules_of(plan(finished, "search"))
    trial = "results/mine/runs/trial_0000/holdout_summary.json"
    done = snakemake(finished, "--dry-run", trial, check=False)
    assert done.returncode and "no file that a rule makes" in done.stdout + done.stderr
    assert "predict_holdout tuned" in plan(finished, "tuned")
    write_study(finished, "mine", holdout_settings())


@pytest.mark.parametrize("part", ["test", None])
def test_a_preset_split_is_judged_on_its_test_part(tmp_path, part):
    density_study(tmp_path, patients=12)
    path = tmp_path / "made" / "labels.csv"
    with open(path, encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    parts = ["train", "train", "val", part or "train"]
    for number, row in enumerate(rows):
        row["Part"] = parts[number % 4]
    with open(path, "w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    data = settings()["data"]
    data = data | {"columns": data["columns"] | {"split": "Part"}, "group": "accession"}
    write_study(tmp_path, "mine", settings(data=data, folds={"preset": "split"}))
    run(tmp_path, f"{CV}/holdout_summary.json")
    summary = read_json(tmp_path / CV / "holdout_summary.json")
    assert bool(summary["n"]) is bool(part)
    assert len(summary["folds"]) == (1 if part else 0)
    # Exams are the groups: no figure is called one per patient.
    assert "patient" not in summary["ensemble"] and "over exams" in summary["methods"]["interval"]
    metrics = read_json(tmp_path / CV / "holdout/results/metrics/val_metrics.json")
    assert "patient" not in metrics["levels"]
