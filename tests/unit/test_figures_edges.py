"""Figures of little: one class, one image, a zone that nobody could score, nothing found."""

import warnings

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from foldwise.evaluate.metrics.segmentation import image_row
from foldwise.files import write_csv, write_json
from foldwise.registry import load
from foldwise.report import style
from foldwise.report.files import paths_of
from foldwise.report.inputs import of_fold

NAMES = {"sample": "s", "group": "g", "exam": "e", "fold": 1}
OF_CLASSES = ("confusion", "roc", "precision_recall", "calibration")
OF_ZONES = ("zone_confusion", "score_agreement")


@pytest.mark.parametrize("study", ["fold_test", "fold_3"])
def test_a_study_may_be_called_like_a_fold(study):
    kinds = ("params", "summary", "histories", "folds")
    settings = {"name": study, "report": {"run": "fold_run", "compare": []}}
    chosen = of_fold(paths_of(kinds, settings, [1, 2, 3]), 2)
    assert [path.name for path in chosen["params"] + chosen["summary"]] == [
        "params.json", "cv_summary.json"
    ]  # fmt: skip
    assert [path.parts[-3] for path in chosen["histories"]] == ["fold_2"]
    assert [path.name for path in chosen["folds"]] == ["fold_2.csv"]


def figure_text(name, paths):
    """All text of a figure, drawn; what numpy warns of is an error."""
    with warnings.catch_warnings(), style.look():
        warnings.simplefilter("error")
        figure = load("FIGURES", name)(paths)
        FigureCanvasAgg(figure).draw()
    texts = [text.get_text() for text in figure.findobj(Text) if text.get_visible()]
    assert len(texts) > 5
    return " ".join(texts)


def written(folder, task, rows):
    write_json(folder / "params.json", {"task": task})
    write_csv(folder / "val_predictions.csv", list(rows[0]), rows)
    return {"params": [folder / "params.json"], "predictions": [folder / "val_predictions.csv"]}


def classified(folder, labels, classes=("A", "B")):
    rows = [NAMES | {"label": label, "predicted": label} for label in labels]
    for row in rows:
        row |= {f"p_{name}": 0.1 + 0.8 * (name == row["label"]) for name in classes}
    return written(folder, {"classes": list(classes)}, rows)


def zoned(folder, scores):
    """`scores`: of each image, its zones' scores, which are predicted too."""
    zones = [f"z{n}" for n in range(len(scores[0]))]
    rows = [dict(NAMES) for _ in scores]
    for row, own in zip(rows, scores, strict=True):
        for zone, score in zip(zones, own, strict=True):
            row |= {f"label_{zone}": score, f"predicted_{zone}": score}
            row |= {f"p_{zone}_{k}": 0.1 + 0.5 * (k == score) for k in range(5)}
    return written(folder, {"zones": zones}, rows)


def masked(folder, truths):
    rows = [
        {key: NAMES[key] for key in NAMES} | {"jaccard": 1.0 if truth.any() else ""}
        | image_row(truth.astype(float), truth, 0.5)
        for truth in truths
    ]  # fmt: skip
    return written(folder, {"threshold": 0.5}, rows)


@pytest.mark.parametrize("name", OF_CLASSES)
@pytest.mark.parametrize("labels", ["AAAA", "A", "AB"])
def test_a_class_that_nobody_has_and_one_image(tmp_path, name, labels):
    said = figure_text(name, classified(tmp_path, labels))
    assert "nan" not in said
    assert "–" in said or "B" in labels or name not in ("roc", "precision_recall")


@pytest.mark.parametrize("name", OF_ZONES)
@pytest.mark.parametrize(
    "scores",
    [[[0, 4], [1, 4], [2, 4]], [[1, 2]], [[4, 4], [4, 4]]],
    ids=["a zone unknown", "one image", "all unknown"],
)
def test_zones_that_cannot_be_scored_and_one_image(tmp_path, name, scores):
    assert "nan" not in figure_text(name, zoned(tmp_path, scores))


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("empty", [True, False])
def test_masks_without_objects_and_one_image(tmp_path, number, empty):
    truths = np.zeros((number, 8, 8), bool)
    truths[:, 2:4, 2:4] = not empty
    assert "nan" not in figure_text("objects", masked(tmp_path, truths))
