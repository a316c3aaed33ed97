"""What the report says of a search is what the search's own files say."""

import json
import re

import pytest

from foldwise.errors import FoldwiseError
from foldwise.files import read_csv, read_json
from foldwise.report.explorer.trials import explored
from foldwise.report.ledger import Ledger
from foldwise.report.pack import report_pack
from foldwise.report.run import Run
from foldwise.report.sections.searched import nested, search
from foldwise.settings.study import check_compared
from made_runs import make_run
from made_search_run import make_search
from report_pages import reporting

SPACE = {"lr": {"type": "float", "low": 1e-4, "high": 0.1, "log": True}}
STUDY = reporting(search=["search", "tuned", "nested"])


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The Markdown of a made-up study with a search, and the folder of the search's files."""
    root = tmp_path_factory.mktemp("searched")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        run = make_run(root, 3, "AB", patients=40)
        folder = make_search(run)
        report_pack(STUDY, run.folds, {}, run.results / "report")
        yield (run.results / "report" / "report.md").read_text(), folder


def section(text):
    return text.partition("\n## Search\n")[2].partition("\n## ")[0]


def test_the_best_trial_its_luck_and_what_pruning_saved_stand_in_the_report(page):
    text, summary = section(page[0]), read_json(page[1] / "study_summary.json")
    plain = text.replace("\\", "")
    assert f"The best is {summary['best']['trial']}: Quadratic kappa" in plain
    assert summary["optimism"]["text"].startswith("Quadratic kappa")
    assert summary["optimism"]["text"] in plain
    saved = summary["pruning"]
    assert f"spared {saved['epochs_spared']:,.0f} epochs" in text
    assert f"a share of {saved['share_spared']:.0%}" in text
    told = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}
    counts = ", ".join(f"{count} {told[state]}" for state, count in summary["states"].items())
    assert counts in text and "\\\\" not in text and "Failed 1 times: memory." in text
    assert plain.count("| trial_") == min(10, summary["states"]["COMPLETE"])


def test_tuned_and_nested_are_told_in_words(page):
    text, folder = section(page[0]).replace("\\", ""), page[1]
    found = json.loads((folder / "comparison.json").read_text())
    for seed, item in found["seeds"].items():
        assert f"Seed {seed}: {item['verdict']}" in text
    assert "Outside of the search, quadratic kappa is 0.5 on average" in text
    assert "| 1 | 0.750 | 0.500 | 3 | training.lr 0.1 |" in text


def test_each_number_of_the_section_has_its_file_and_job(page, monkeypatch):
    monkeypatch.chdir(page[1].parents[2])
    ledger = Ledger()
    run = Run(ledger, STUDY, [1, 2, 3])
    assert search.values(run) and nested.values(run)
    jobs = {number.job for number in ledger.numbers}
    assert jobs == {"collect_search density", "nested_summary density"}


def test_the_page_is_given_all_trials_with_their_curves(page):
    html = (page[1].parent / "report" / "index.html").read_text()
    (text,) = re.findall(r'<script type="application/json" id="data-trials">(.*?)</script>', html)
    given = json.loads(text)
    rows = read_csv(page[1] / "search_results_final.csv")
    assert [one["trial"] for one in given["trials"]] == [row["trial"] for row in rows]
    (objective,) = given["objectives"]
    assert objective == {"name": "Quadratic kappa", "direction": "maximize"}
    names = [one["name"] for one in given["params"]]
    for one, row in zip(given["trials"], rows, strict=True):
        assert one["values"] == [float(row["kappa"]) if row["kappa"] else None]
        for name, value in zip(names, one["params"], strict=True):
            assert row[name] == ("" if value is None else row[name])
            assert value is None or isinstance(value, str) or value == float(row[name])
    curves = read_csv(page[1] / "history_trials.csv")
    first = given["trials"][0]
    own = [row for row in curves if row["trial"] == first["trial"]]
    for epoch, mean in first["curve"]:
        values = [float(row["kappa"]) for row in own if int(row["epoch"]) == epoch]
        assert mean == pytest.approx(sum(values) / len(values), abs=1e-5)
    assert [epoch for epoch, _ in first["curve"]] == sorted({int(row["epoch"]) for row in own})


def test_an_axis_is_logarithmic_where_the_space_is_and_no_odd_value_breaks_the_page():
    trials = [
        {"trial": f"t{i}", "state": "COMPLETE", "kappa": "0.5", "lr": text}
        for i, text in enumerate(("0.1", "nan", "", "1e400", "adam</script>"))
    ]
    found = explored(trials, [], [{"metric": "kappa", "direction": "maximize"}], ["lr"], SPACE)
    assert found["params"] == [{"name": "lr", "short": "lr", "log": True}]
    assert [one["params"][0] for one in found["trials"]] == [
        *(0.1, "nan", None, "1e400", "adam</script>")
    ]
    json.dumps(found, allow_nan=False)


def test_the_page_shows_the_analysis_and_links_to_all_its_files(page):
    text, folder = section(page[0]), page[1]
    found = re.findall(r"\]\((\.\./search/analysis/[^)]+)\)", text)
    made = {f"../search/analysis/{path.name}" for path in (folder / "analysis").iterdir()}
    assert set(found) == made and len(made) == 11
    assert text.count("![**") == 3
    html = (folder.parent / "report" / "index.html").read_text()
    assert html.count('title="made by search_analysis density') == 3
    ledger = read_json(folder.parent / "report" / "ledger.json")
    assert ledger["figures"]["fig1_top5_configurations"]["file"].endswith("configurations.png")


def test_a_report_on_a_search_that_there_is_not_is_refused():
    study = {"search": None, "runs": {"cv": {}}, "report": STUDY["report"] | {"compare": []}}
    with pytest.raises(FoldwiseError, match=r"report.search: search, tuned, nested, but the study"):
        check_compared(study, "x.yaml")
