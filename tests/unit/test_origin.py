"""A job's record of what it made, and the ledger that reads it."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from foldwise.article.agreement import disagreements
from foldwise.errors import FoldwiseError
from foldwise.files import read_json, write_json, write_text
from foldwise.hashing import file_digest
from foldwise.origin import forget_origin, note_origin, origins
from foldwise.report.ledger import Job, Ledger

SUMMARY = "results/s/runs/cv/cv_summary.json"


@pytest.fixture
def job(tmp_path, monkeypatch):
    """A finished job as Snakemake gives it: one table, weights, and a private file."""
    monkeypatch.chdir(tmp_path)
    write_json(SUMMARY, {"kappa": {"mean": 0.72149, "interval": None}})
    outputs = [SUMMARY, "results/s/model.pt", "results/s/private/id_map.csv"]
    for path in outputs[1:]:
        write_text(path, "x")
    log = ["results/s/logs/cv/cv_summary.log"]
    return SimpleNamespace(
        rule="cv_summary", params={"code": "c0de", "root": "/CANARY"}, output=outputs, log=log
    )


def test_a_record_names_rule_code_time_and_digests_but_no_setting(job, tmp_path):
    note_origin(job)
    (path,) = (tmp_path / "results/s/logs").rglob("*.origin.json")
    # A private file's digest lets its content be guessed.
    assert (tmp_path / "results/s/private/cv_summary.origin.json").is_file()
    assert path.name == "cv_summary.origin.json" and "CANARY" not in path.read_text()
    record = read_json(path)
    assert record["files"] == {SUMMARY: file_digest(SUMMARY)}
    assert (record["rule"], record["code"]) == ("cv_summary", "c0de")
    before = record["settings"]
    job.params["root"] = "/other"
    note_origin(job)
    assert read_json(path)["settings"] != before


def test_a_number_says_which_code_made_it_and_when(job, tmp_path):
    note_origin(job)
    ledger = Ledger(origins(tmp_path / "results" / "s" / "logs"))
    number = ledger.source(SUMMARY, Job("cv_summary", "s", "cv"))("kappa", "mean", form=".3f")
    assert str(number) == "0.721" and "code c0de" in number.origin
    entry = ledger.as_json()["files"][SUMMARY]
    assert entry["sha256"] == file_digest(SUMMARY)
    assert (entry["rule"], entry["run"], entry["code"]) == ("cv_summary", "cv", "c0de")
    assert entry["made"][:4].isdigit() and entry["settings"]


def test_a_result_that_was_edited_by_hand_is_refused_by_its_name(job, tmp_path):
    note_origin(job)
    write_json(SUMMARY, {"kappa": {"mean": 0.9}})
    ledger = Ledger(origins(tmp_path / "results" / "s" / "logs"))
    with pytest.raises(FoldwiseError, match=r"cv_summary.json: not what rule cv_summary wrote on"):
        ledger.source(SUMMARY, Job("cv_summary"))("kappa", "mean")


def test_a_job_that_begins_again_takes_its_record_back(job, tmp_path):
    note_origin(job)
    forget_origin(job)
    # What it writes and reads itself, as the report its record, is not held against the old one.
    assert origins(tmp_path / "results" / "s" / "logs") == {}
    forget_origin(job)


def test_a_key_that_is_not_there_is_refused_and_one_without_a_value_is_a_dash(job):
    source = Ledger().source(SUMMARY, Job("cv_summary"))
    assert str(source("kappa", "interval")) == "–" == str(source.maybe("auc", "mean"))
    with pytest.raises(FoldwiseError, match=r"nothing at 'kappa.men'. Did you mean 'mean'\?"):
        source("kappa", "men")


def test_each_value_that_changed_after_an_article_was_made_is_named(job):
    write_json(SUMMARY, {"kappa": {"mean": 0.7, "std": 0.1}, "a.b": 1, "bounds": [1, 2]})
    ledger = Ledger()
    source = ledger.source(SUMMARY, Job("cv_summary"))
    for keys in (("kappa", "mean"), ("kappa", "std"), ("a.b",), ("bounds", 1)):
        source(*keys)
    write_json("article/ledger.json", ledger.as_json())
    assert disagreements("article") == []
    write_json(SUMMARY, {"kappa": {"mean": 0.7}, "a.b": 2, "bounds": [1, 2], "more": 0})
    assert disagreements("article") == [
        f"{SUMMARY}: kappa.std is None now; the article says 0.1.",
        f"{SUMMARY}: a.b is 2 now; the article says 1.",
    ]
    Path(SUMMARY).unlink()
    assert len(disagreements("article")) == 4
