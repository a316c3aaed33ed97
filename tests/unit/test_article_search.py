"""The article of a study with a search, a tuned run and nested validation, or any part of them."""

from itertools import combinations

import pytest

from foldwise.article.build import write_article
from foldwise.files import read_json
from foldwise.report.files import FILES
from foldwise.report.ledger import Ledger
from made_article import SETTINGS, copy_of, make_finished, study_of
from made_runs import Run
from made_search_run import make_search

PARTS = ("search", "tuned", "nested")
SUBSETS = [part for size in range(4) for part in combinations(PARTS, size)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    root = make_finished(tmp_path_factory.mktemp("searched"))
    make_search(Run(root / "results/density", ["A", "B"], [1, 2, 3]))
    return root


@pytest.mark.usefixtures("without_documents")
@pytest.mark.parametrize("parts", SUBSETS, ids="+".join)
def test_each_part_is_told_of_where_it_was_made(finished, tmp_path, monkeypatch, parts):
    folder = copy_of(finished, tmp_path, monkeypatch)
    ledger = Ledger()
    study = study_of(ledger, **{part: FILES[part] for part in parts})
    write_article([study], SETTINGS, ledger, folder / "article")
    text = (folder / "article/article.md").read_text()
    base = "results/density/search"
    told = {
        "search": read_json(f"{base}/study_summary.json")["optimism"]["text"],
        "tuned": read_json(f"{base}/comparison.json")["seeds"]["42"]["verdict"],
        "nested": read_json(f"{base}/nested_summary.json")["search"]["text"],
    }
    assert text.count("## Search") == bool(parts)
    for part, sentence in told.items():
        assert (sentence in text) == (part in parts), part
