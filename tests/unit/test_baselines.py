"""Classical methods: against scikit-image and scikit-learn, chosen by the training part alone."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import median_filter
from skimage.filters import gaussian, threshold_otsu
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import jaccard_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from foldwise.baselines.masks import GAUSSIAN as GROUNDS
from foldwise.baselines.masks import background, foreground
from foldwise.baselines.run import run_baseline, run_on_holdout
from foldwise.baselines.statistics import statistics_of
from foldwise.errors import FoldwiseError
from foldwise.evaluate.comparisons import Folds, compare_reported
from foldwise.evaluate.fold import evaluate_fold
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.metrics.segmentation import Measures
from foldwise.files import read_csv, read_json, write_csv, write_json
from foldwise.registry import load, names
from foldwise.settings.kinds import KINDS
from foldwise.tasks.classification import Classification
from foldwise.tasks.segmentation import Segmentation
from foldwise.tasks.zones import Zones
from foldwise.train.feed.rows import sorted_rows
from made_masks import mask_images, mask_params, mask_rows
from training import Memory, make_images, make_job, make_params, make_rows


def table_of(name, folder, params, task, images, rows, cut):
    path = folder / "val_predictions.csv"
    run_baseline(name, make_job(folder, params, images, (rows[:cut], rows[cut:]), task), path)
    with open(path, newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_baseline_belongs_to_a_kind():
    assert sorted({name for kind in KINDS.values() for name in kind.baselines}) == names(
        "BASELINES"
    )


GAUSSIAN, MEDIAN = ("gaussian", 0.08), ("median", 0.2)


def ground_of(values, ground):
    """The same background by SciPy and scikit-image."""
    kind, width = ground
    if kind == "gaussian":
        return gaussian(values, width * len(values), truncate=4, mode="mirror")
    side = int(width * len(values))
    return median_filter(values, side - (side + 1) % 2, mode="nearest")


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("ground", [None, GAUSSIAN, ("gaussian", 0.2), MEDIAN])
def test_a_threshold_is_that_of_scikit_image(sign, ground):
    planes = mask_images(mask_rows(6), 64).pixels
    for picture in planes:
        values = picture[0].astype(float)
        values = sign * (values - (0 if ground is None else ground_of(values, ground)))
        if ground is not None:
            values = values.clip(0)
        expected = values > threshold_otsu(values)
        # Of 256 levels each, which are not cut alike.
        assert (foreground(picture, (0, sign, ground)) == expected).mean() > 0.97


def test_the_median_is_scipys_and_pictures_of_16_bits_are_cut_alike():
    picture = mask_images(mask_rows(1), 64).pixels[0, 0]
    found = background(picture, MEDIAN)
    np.testing.assert_array_equal(found, ground_of(picture, MEDIAN))
    wide = background(picture.astype(np.uint16) * 257, MEDIAN)
    np.testing.assert_array_equal(wide, found * 257)


def test_channel_and_sign_are_chosen_on_the_training_part(tmp_path):
    rows = mask_rows(16)
    images = mask_images(rows, 32)
    # The objects are darker, and in the second channel alone.
    noise = np.random.default_rng(2).integers(0, 255, images.pixels[:, :1].shape)
    dark = 255 - images.pixels[:, :1]
    images.pixels = np.concatenate([noise, dark, noise, images.pixels[:, 1:]], 1).astype(np.uint8)
    images.shape = images.pixels.shape[1:]
    params = mask_params(image={"size": 32, "channels": 3})
    task = Segmentation(params["task"])
    found = table_of("otsu_flat", tmp_path, params, task, images, rows, 8)
    place = {row["sample"]: images.where[row["content"]] for row in rows}
    for row in found:
        planes = images.pixels[place[row["sample"]]]
        best = max(
            jaccard_score(planes[3].ravel(), foreground(planes, (1, -1, ground)).ravel())
            for ground in GROUNDS
        )
        assert float(row["jaccard"]) <= best + 1e-6
    assert Measures({}).score(found)["jaccard"] > 0.4


def test_objects_may_be_darker_in_some_pictures_and_brighter_in_others(tmp_path):
    rows = mask_rows(16)
    images = mask_images(rows, 48)
    images.pixels[::2, :1] = 255 - images.pixels[::2, :1]
    params, place = mask_params(), {row["sample"]: images.where[row["content"]] for row in rows}
    task = Segmentation(params["task"])
    found = table_of("otsu_smaller", tmp_path, params, task, images, rows, 8)
    for row in found:
        values, mask = images.pixels[place[row["sample"]]]
        bright = values > threshold_otsu(values)
        expected = bright if bright.mean() <= 0.5 else ~bright
        overlap = jaccard_score(mask.ravel() != 0, expected.ravel())
        assert float(row["jaccard"]) == pytest.approx(overlap, abs=0.02)
    one_sign = table_of("otsu", tmp_path, params, task, images, rows, 8)
    either, one = (Measures({}).score(table)["jaccard"] for table in (found, one_sign))
    assert either > 1.5 * one


def test_a_threshold_is_of_the_picture_and_not_of_the_black_beside_it(tmp_path):
    rows, params = mask_rows(8), mask_params()
    images = mask_images(rows, 32)
    # A light ground: black beside it would be a third level.
    images.pixels[:, 0] = 255 - images.pixels[:, 0] // 3
    wide = np.zeros((8, 2, 96, 96), np.uint8)
    wide[:, :, 10:42, 60:92] = images.pixels
    parts = np.tile([10, 42, 60, 92], (8, 1))
    task, tables = Segmentation(params["task"]), []
    for shown in (images, Memory(wide, [row["content"] for row in rows], parts)):
        for name in ("otsu", "otsu_smaller"):
            tables.append(table_of(name, tmp_path, params, task, shown, rows, 4))
    assert tables[:2] == tables[2:]


def test_a_picture_of_one_value_has_no_foreground():
    for ground in (None, GAUSSIAN, MEDIAN):
        assert not foreground(np.full((2, 8, 8), 7, np.uint8), (0, 1, ground)).any()


def test_logistic_regression_is_that_of_scikit_learn(tmp_path):
    rows = make_rows(48)
    images, params = make_images(rows), make_params()
    task = Classification(params["task"])
    found = table_of("logistic_statistics", tmp_path, params, task, images, rows, 30)
    ordered = [sorted(part, key=lambda row: row["content"]) for part in (rows[:30], rows[30:])]
    train, val = (statistics_of(images, part, 1) for part in ordered)
    scaler = StandardScaler().fit(train)
    labels = [row["label"] for row in ordered[0]]
    model = LogisticRegression(max_iter=2000).fit(scaler.transform(train), labels)
    expected = model.predict_proba(scaler.transform(val))
    np.testing.assert_allclose([[float(r[f"p_{c}"]) for c in "ABC"] for r in found], expected, 1e-6)
    assert task.score(found)["accuracy"] > 0.6


def test_of_the_holdout_one_model_of_all_folds_speaks(tmp_path):
    """Predictions are those of scikit-learn fitted to the training and the validation part."""
    rows = make_rows(48)
    images, params = make_images(rows), make_params()
    task = Classification(params["task"])
    job = make_job(tmp_path, params, images, (rows[:20], rows[20:30]), task)
    job = replace(job, rows=job.rows | {"holdout": rows[30:]})
    files = [tmp_path / name for name in ("val_predictions.csv", "fold_predictions.csv")]
    run_on_holdout("logistic_statistics", job, *files)
    said = {row["sample"]: row for row in read_csv(files[0])}
    assert set(said) == {row["sample"] for row in rows[30:]} and read_csv(files[1]) == []
    assert {row["fold"] for row in said.values()} == {"all"}
    fitted, judged = (sorted_rows(part) for part in (rows[:30], rows[30:]))
    numbers = [statistics_of(images, part, 1) for part in (fitted, judged)]
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    expected = model.fit(numbers[0], [row["label"] for row in fitted]).predict_proba(numbers[1])
    for row, probabilities in zip(judged, expected, strict=True):
        for name, value in zip(model.classes_, probabilities, strict=True):
            assert float(said[row["sample"]][f"p_{name}"]) == pytest.approx(value, abs=1e-6)
    # A study whose data name no holdout has an empty one.
    run_on_holdout("logistic_statistics", replace(job, rows=job.rows | {"holdout": []}), *files)
    assert read_csv(files[0]) == read_csv(files[1]) == []


def test_a_class_that_is_not_trained_on_is_never_predicted(tmp_path):
    rows = make_rows(24)
    images, params = make_images(rows), make_params()
    task = Classification(params["task"])
    for kept in (("A", "B"), ("B",)):
        chosen = [row for row in rows[:12] if row["label"] in kept] + rows[12:]
        cut = len(chosen) - 12
        found = table_of("logistic_statistics", tmp_path, params, task, images, chosen, cut)
        assert len(found) == 12
        assert {row["predicted"] for row in found} <= set(kept)


def test_ridge_learns_scores_and_unknowns(tmp_path):
    rows = make_rows(60)
    for number, row in enumerate(rows):
        row |= {"top": str("ABC".index(row["label"])), "low": "4" if number % 3 == 0 else "1"}
    params = make_params(kind="zones", task={"zones": ["top", "low"], "mirror": []})
    task = Zones(params["task"])
    found = table_of("ridge_pixels", tmp_path, params, task, make_images(rows), rows, 45)
    for row in found:
        for zone in ("top", "low"):
            shares = [float(value) for name, value in row.items() if name.startswith(f"p_{zone}")]
            assert sum(shares) == pytest.approx(1, abs=1e-6)
    assert np.mean([row["predicted_top"] == row["label_top"] for row in found]) > 0.6
    assert np.mean([row["predicted_low"] == row["label_low"] for row in found]) > 0.6


def test_an_empty_part_is_named(tmp_path):
    params = mask_params()
    task, rows = Segmentation(params["task"]), mask_rows(4)
    job = make_job(tmp_path, params, mask_images(rows), ([], rows), task)
    with pytest.raises(FoldwiseError, match="training part"):
        run_baseline("otsu", job, tmp_path / "x.csv")


@pytest.fixture
def two_runs(tmp_path):
    """Two classical methods on the same two folds, as runs of a study."""
    rows = mask_rows(24)
    images, params = mask_images(rows), mask_params()
    task, measures = Segmentation(params["task"]), load("MEASURES", "segmentation")({})
    for fold in (1, 2):
        val = rows[12 * (fold - 1) : 12 * fold]
        train = [row for row in rows if row not in val]
        parts = [{"sample": r["sample"], "part": "val" if r in val else "train"} for r in rows]
        write_csv(tmp_path / "folds" / f"fold_{fold}.csv", ["sample", "part"], parts)
        for name in ("otsu", "otsu_flat"):
            folder = tmp_path / "runs" / f"baseline_{name}" / f"fold_{fold}" / "results"
            table_of(name, folder, params, task, images, [*train, *val], 12)
            evaluate_fold(folder / "val_predictions.csv", measures, folder / "metrics")
    return tmp_path, params | {"run": "baseline_otsu_flat"}, measures


def compared(folder, params, measures):
    runs, folds, out = folder / "runs", folder / "folds", folder / "out.json"
    named = {run: runs / run for run in (params["run"], "baseline_otsu")}
    compare_reported(
        params, measures, Folds(folds, [1, 2]), named, Bootstrap(params["seed"], "patient"), out
    )
    return read_json(out)


def test_a_run_is_set_beside_its_baselines(two_runs):
    folder = two_runs[0] / "runs"
    found = compared(*two_runs)
    row = found["against"]["baseline_otsu"]["metrics"]["jaccard"]
    for name, key in (("otsu", "first"), ("otsu_flat", "second")):
        files = sorted((folder / f"baseline_{name}").rglob("val_metrics.json"))
        assert row[key] == pytest.approx(np.mean([read_json(path)["jaccard"] for path in files]))
    assert found["metric"] == "jaccard"


@pytest.mark.parametrize("run", ["otsu", "otsu_flat"])
def test_a_metric_that_a_fold_has_not_is_no_ground_for_an_error(two_runs, run):
    """Of the method or of the run itself: the others are compared, and the verdict says so."""
    path = next((two_runs[0] / "runs" / f"baseline_{run}").rglob("val_metrics.json"))
    before = read_json(path)
    write_json(path, before | {"jaccard": None})
    found = compared(*two_runs)["against"]["baseline_otsu"]
    write_json(path, before)
    assert "jaccard" not in found["metrics"] and found["metrics"]["dice"]["first"]
    assert found["verdict"].startswith("Jaccard is not defined in every fold of both runs")
