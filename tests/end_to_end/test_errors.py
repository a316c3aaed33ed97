"""Bad input ends in one message that names thing, value, place and next step."""

import pytest

from flow import snakemake, write_study
from studies import density_study, settings


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return density_study(tmp_path_factory.mktemp("errors"))


def refusal(folder, *arguments, **branches):
    """What snakemake says of a study that must fail."""
    write_study(folder, "mine", settings(**branches))
    done = snakemake(folder, *arguments, check=False)
    assert done.returncode, "the run should have failed"
    text = done.stdout + done.stderr
    assert "Traceback" not in text
    return text


def data(**changes):
    return settings()["data"] | changes


CLASSES = settings()["data"]["classes"] | {"mapping": {"1": "A", "3": "B"}}
COLUMNS = {"accession": "AccessionNumber", "label": "Klass"}


@pytest.mark.parametrize(
    ("branches", "words"),
    [
        ({"training": {"epohcs": 3}}, ["mine.yaml", "epohcs", "Did you mean 'epochs'"]),
        ({"training": {"lr": "quick"}}, ["mine.yaml", "training.lr", "'quick'"]),
        ({"folds": {"n": 12}}, ["mine.yaml", "folds.n", "12"]),
        ({"data": data(root="nowhere/at/all")}, ["nowhere/at/all", "data.root"]),
        ({"data": data(table={"path": "none.csv"})}, ["none.csv", "data.table.path"]),
        ({"data": data(columns=COLUMNS)}, ["Klass", "Classification"]),
        ({"folds": {"n": 9}}, ["9", "folds.n", "class"]),
        ({"model": {"weights": "made/labels.csv"}}, ["made/labels.csv", "torch.save"]),
        ({"data": data(exclusions="none.csv")}, ["data.exclusions", "none.csv"]),
        ({"data": data(classes=CLASSES)}, ["max_quarantine", "map it or drop it", "stopped.csv"]),
    ],
    ids=[
        *("key", "type", "range", "archive", "table", "column", "class"),
        *("weights", "exclusions", "unmapped"),
    ],
)
def test_one_message_before_anything_expensive(made, branches, words):
    text = refusal(made, **branches)
    for word in words:
        assert word in text
    assert not list((made / "results").rglob("*.npy"))
    assert not list((made / "results").rglob("best_model.pt"))


def test_all_problems_of_the_data_are_one_message_and_no_job_starts(made):
    wrong = data(root="nowhere", columns=COLUMNS)
    text = refusal(made, data=wrong, model={"weights": "lost.pt"})
    assert "3 problems, found before any job was started" in text
    for word in ("nowhere", "Klass", "lost.pt"):
        assert word in text
    assert "rule run_params" not in text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04 a workbook", ["is a spreadsheet that cannot be read", "save it as CSV"]),
        (b"", ["is empty", "data.table.path"]),
        (b'a,b\n"x,1\n', ["line 3", "quotes do not match"]),
        (b"a,a\n1,2\n", ["'a' more than once"]),
    ],
    ids=["excel", "empty", "quotes", "header"],
)
def test_a_table_that_is_none(tmp_path, content, words):
    density_study(tmp_path, patients=4)
    (tmp_path / "made" / "labels.csv").write_bytes(content)
    text = refusal(tmp_path)
    for word in words:
        assert word in text


def test_a_table_without_rows(tmp_path):
    density_study(tmp_path)
    table = tmp_path / "made" / "labels.csv"
    table.write_text(table.read_text().splitlines()[0] + "\n")
    assert "no row" in refusal(tmp_path)
