"""The article of a study with a single split: nothing in it is a mean over folds."""

import pypandoc
import pytest

from foldwise.article.build import write_article
from foldwise.article.formats import FROM
from foldwise.files import read_json
from foldwise.report.ledger import Ledger
from made_article import SETTINGS, copy_of, make_finished, study_of
from made_holdout import make_holdout
from made_runs import Run

RELIABLE = ("calibration", "conformal", "suspects")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return make_finished(tmp_path_factory.mktemp("single"), n_folds=1)


@pytest.fixture
def folder(finished, tmp_path, monkeypatch):
    return copy_of(finished, tmp_path, monkeypatch)


def pages(folder):
    """Text of the article, captions of its figures, its tables, model card and checklists."""
    files = sorted((folder / "article").rglob("*.md"))
    return "\n".join(path.read_text() for path in files)


@pytest.mark.usefixtures("without_documents")
@pytest.mark.parametrize("kinds", [(), RELIABLE])
@pytest.mark.parametrize("holdout", [False, True])
def test_nothing_is_told_over_folds(folder, kinds, holdout):
    run = Run(folder / "results/density", ["A", "B"], [1])
    places = {kind: f"results/density/runs/cv/{kind}.json" for kind in kinds}
    if holdout:
        make_holdout(run, 8)
        places["holdout"] = "results/density/runs/cv/holdout_summary.json"
    ledger = Ledger()
    write_article([study_of(ledger, **places)], SETTINGS, ledger, folder / "article")
    text = pages(folder)
    for words in ("over folds", "cross-validat", "1 folds", "standard deviation"):
        assert words not in text, words
    image = read_json("results/density/runs/cv/cv_summary.json")["pooled"]["image"]
    kappa = image["metrics"]["kappa"]
    low, high = kappa["interval"]
    told = f"was {kappa['value']:.3f} (95% interval {low:.3f} to {high:.3f}) on the validation part"
    assert text.count(told) == 2


@pytest.mark.usefixtures("without_documents")
def test_where_no_sets_are_made_article_and_page_say_why_and_show_no_figure_of_them(folder):
    place = "results/density/runs/cv/conformal.json"
    (part,) = read_json(place)["parts"]
    assert part["few"] and not part["sets"]
    ledger = Ledger()
    write_article([study_of(ledger, conformal=place)], SETTINGS, ledger, folder / "article")
    for text in (pages(folder), (folder / "results/density/report/report.md").read_text()):
        assert part["few"] in text
        assert "triage.png" not in text


def test_no_caption_of_the_page_is_of_several_folds(folder):
    text = (folder / "results/density/report/report.md").read_text()
    captions = [line for line in text.splitlines() if line.startswith("![")]
    assert len(captions) > 5
    assert not [one for one in captions if "over folds" in one or "several" in one]


@pytest.mark.usefixtures("without_documents")
def test_a_second_study_of_one_split(folder):
    ledger = Ledger()
    studies = [study_of(ledger), study_of(ledger)]
    write_article(studies, SETTINGS, ledger, folder / "article")
    text = pages(folder)
    assert "They were split once, grouped by patient" in text and "over folds" not in text


def test_a_heading_below_a_paragraph_is_one():
    assert "<h2" in pypandoc.convert_text("Words.\n## Next", "html5", format=FROM)
