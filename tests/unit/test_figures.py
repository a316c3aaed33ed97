"""Figures of three to ten folds and two to eight classes: right, legible, the same each time."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from PIL import Image
from sklearn.metrics import average_precision_score, confusion_matrix, roc_auc_score

from foldwise.errors import FoldwiseError
from foldwise.files import read_json
from foldwise.registry import load
from foldwise.report import style
from foldwise.report.catalogue import OF_KIND, figure_inputs
from foldwise.report.draw import figure
from foldwise.report.entries import FIGURES
from foldwise.report.inputs import predictions
from legible import assert_labels_lie_apart
from made_heads import HEADS, with_two_labels
from made_runs import make_gradcam, make_run
from report_pages import STUDY

SIZES = {"3x2": (3, "AB"), "10x8": (10, "ABCDEFGH")}


@pytest.fixture(scope="module", params=SIZES.values(), ids=list(SIZES))
def run(request, tmp_path_factory):
    return made(tmp_path_factory, *request.param)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return made(tmp_path_factory, *SIZES["3x2"])


def made(tmp_path_factory, n_folds, classes):
    run = make_run(tmp_path_factory.mktemp("run"), n_folds, classes, patients=12 * n_folds)
    make_gradcam(run)
    return run


@pytest.fixture(scope="module")
def two_labels(tmp_path_factory):
    run = make_run(tmp_path_factory.mktemp("heads"), 4, "AB", patients=60)
    return with_two_labels(run)


def drawn(name, run, folds=None):
    with style.look():
        made = load("FIGURES", name)(run.paths(folds))
        FigureCanvasAgg(made).draw()
        return made


@pytest.mark.parametrize("name", ["metrics", "roc", "precision_recall"])
def test_of_a_single_split_nothing_is_called_a_fold(small, tmp_path, name):
    one = make_run(tmp_path, 1, "AB", patients=30)
    words = {}
    for many, run in (("single", one), ("several", small)):
        (legend,) = drawn(name, run).legends
        words[many] = " ".join(text.get_text() for text in legend.get_texts())
    assert "fold" not in words["single"] and "validation part" in words["single"]
    assert "fold" in words["several"]


@pytest.mark.parametrize("name", sorted(OF_KIND["classification"]))
def test_no_label_covers_another(run, name, monkeypatch, tmp_path):
    # The best fold alone with a line above it, as among the assets; and ten folds together.
    folds, line = ([1], "as long as a line may happen to be") if len(run.folds) == 3 else (None, "")
    assert_labels_lie_apart(name, run.paths(folds), tmp_path, monkeypatch, line)


@pytest.mark.parametrize("name", sorted(OF_KIND["distillation"]))
def test_no_label_covers_another_where_there_are_several_labels(
    two_labels, name, monkeypatch, tmp_path
):
    assert_labels_lie_apart(name, two_labels.paths(), tmp_path, monkeypatch)


@pytest.mark.parametrize("name", sorted(OF_KIND["classification"]))
def test_a_figure_is_300_dpi_without_metadata(small, name, tmp_path):
    figure(name, small.paths(), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert set(picture.info) <= {"dpi"}
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert picture.width / 300 < 1.06 * style.PAGE + 0.1


@pytest.mark.parametrize("name", ["confusion", "fold_composition"])
def test_equal_input_gives_equal_bytes(small, name, tmp_path):
    for file in ("a.png", "b.png"):
        figure(name, small.paths(), tmp_path / file)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_the_confusion_matrix_shows_scikit_learns_counts(run):
    (table,) = predictions(run.paths())
    expected = confusion_matrix(table.labels, table.probabilities.argmax(axis=1))
    texts = [text.get_text() for text in drawn("confusion", run).axes[0].texts]
    assert [int(text) for text in texts[::2]] == expected.ravel().tolist()
    shares = np.round(100 * expected / expected.sum(axis=1, keepdims=True))
    assert [float(text[:-1]) for text in texts[1::2]] == pytest.approx(shares.ravel(), abs=1)


@pytest.mark.parametrize(
    ("name", "area"), [("roc", roc_auc_score), ("precision_recall", average_precision_score)]
)
def test_areas_under_curves_are_scikit_learns(run, name, area):
    (table,) = predictions(run.paths())
    axes = drawn(name, run).axes[: len(run.classes)]
    assert len(axes) == len(run.classes)
    for k, axis in enumerate(axes):
        expected = area(table.labels == k, table.probabilities[:, k])
        assert axis.texts[0].get_text().split()[1] == f"{expected:.2f}"


def test_each_label_has_its_own_matrix_curves_and_bars(two_labels):
    paths = two_labels.paths()
    tables = {table.label: table for table in predictions(paths)}
    assert {name: table.classes for name, table in tables.items()} == HEADS
    matrices = drawn("confusion", two_labels).axes
    for axis, table in zip(matrices, tables.values(), strict=False):
        expected = confusion_matrix(table.labels, table.probabilities.argmax(axis=1))
        counts = [int(text.get_text()) for text in axis.texts[::2]]
        assert counts == expected.ravel().tolist()
    panels = iter(drawn("roc", two_labels).axes)
    for table in tables.values():
        for k in range(len(table.classes)):
            area = roc_auc_score(table.labels == k, table.probabilities[:, k])
            assert next(panels).texts[0].get_text().split()[1] == f"{area:.2f}"
    bars = drawn("fold_composition", two_labels).axes
    for axis, table in zip(bars, tables.values(), strict=True):
        widths = np.array([[bar.get_width() for bar in part] for part in axis.containers])
        counts = [np.bincount(table.of_fold(k).labels, minlength=len(widths)) for k in (1, 2, 3, 4)]
        assert widths.T.tolist() == np.array(counts).tolist()


def test_the_loss_of_training_is_drawn_beside_that_of_validation(small):
    """Both of the same function: a metric called log_loss is none, and many tasks have none."""
    history = read_json(small.paths()["histories"][0])
    panel = drawn("training", small, folds=[1]).axes[0]
    lines = {tuple(line.get_ydata()) for line in panel.lines}
    for name in ("train_loss", "val_loss"):
        assert tuple(epoch[name] for epoch in history["epochs"]) in lines


def test_training_of_one_fold_alone(small):
    made = drawn("training", small, folds=[2])
    assert [axis.get_title(loc="left") for axis in made.axes] == ["Fold 2", ""]


def luminance(colour):
    """CIE Y of an sRGB colour, 0 to 1 (IEC 61966-2-1)."""
    c = np.array(to_rgb(colour))
    return np.where(c > 0.04045, ((c + 0.055) / 1.055) ** 2.4, c / 12.92) @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("n", range(2, 9))
def test_colours_keep_their_order_in_a_grey_copy(n):
    # Lightness L* of CIE 1976, which the eye takes for even.
    lightness = [116 * luminance(colour) ** (1 / 3) - 16 for colour in style.shades(n)]
    assert (np.diff(lightness) > 35 / n).all()
    assert len({str(one["linestyle"]) + one["marker"] for one in style.line_styles(n)}) == n


@pytest.mark.parametrize("share", np.linspace(0, 1, 21))
def test_numbers_can_be_read_on_every_shade(share):
    back = luminance(style.SHARES(share)[:3])
    front = luminance(style.text_on(style.SHARES(share)))
    light, dark = max(front, back), min(front, back)
    assert (light + 0.05) / (dark + 0.05) > 3.4


def test_inputs_of_a_figure_are_its_own():
    found = figure_inputs("training", STUDY, range(1, 12))
    assert list(found) == ["histories"]
    assert found["histories"][1].endswith("fold_2/results/train_history.json")
    assert found["histories"][-1].endswith("fold_11/results/train_history.json")
    assert figure_inputs("cohort_flow", STUDY, [1, 2]) == {
        "manifest": ["results/density/audit/data_manifest.json"],
    }


def test_an_unknown_figure_names_the_nearest():
    with pytest.raises(FoldwiseError, match="Did you mean 'training'"):
        figure_inputs("trainig", STUDY, [1])


def test_catalogue_and_registry_agree():
    assert {name for names in OF_KIND.values() for name in names} <= set(FIGURES)
    for name in FIGURES:
        assert callable(load("FIGURES", name))
