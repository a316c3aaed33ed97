"""Bad input ends in one message that names thing, value, place and next step."""

import pytest

from flow import snakemake, write_study
from studies import density_study, settings


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return density_study(tmp_path_factory.mktemp("errors"))


def said(folder, *arguments, **branches):
    """What snakemake says of a study that must fail."""
    write_study(folder, "mine", settings(**branches))
    done = snakemake(folder, *arguments, check=False)
    assert done.returncode, "the run should have failed"
    text = done.stdout + done.stderr
    assert "Traceback" not in text
    return text


def data(**changes):
    return settings()["data"] | changes


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
    ],
    ids=["key", "type", "range", "archive", "table", "column", "class"],
)
def test_one_message(made, branches, words):
    text = said(made, **branches)
    for word in words:
        assert word in text
    assert not list((made / "results").rglob("best_model.pt"))


def test_a_table_without_rows(tmp_path):
    density_study(tmp_path)
    table = tmp_path / "made" / "labels.csv"
    table.write_text(table.read_text().splitlines()[0] + "\n")
    assert "no row" in said(tmp_path)
