"""A second reader's labels: into the cohort, never into training, beside a run in the report."""

import csv
from dataclasses import replace

import numpy as np
import pytest
import yaml
from sklearn.metrics import cohen_kappa_score

from cohorts import Study
from foldwise.baselines.run import run_baseline
from foldwise.cohort.readers.base import Joined, Matched
from foldwise.cohort.tables.labels import ClassScheme
from foldwise.cohort.tables.second_reader import with_second
from foldwise.cohort.tables.table import Row, Table
from foldwise.errors import FoldwiseError
from foldwise.evaluate.metrics.zones import Measures
from foldwise.files import write_text
from foldwise.settings.kinds import baselines_of
from foldwise.settings.study import load_study
from foldwise.settings.zones import CHEST
from foldwise.tasks.classification import Classification
from foldwise.tasks.zones import Zones
from made_zones import zones_archive
from training import make_images, make_job, make_params, make_rows

SECOND = {zone: f"second_of_{zone}" for zone in CHEST}


def with_second_columns(folder, change=lambda number, cells: cells):
    """A study of made-up films whose table has the scores of a second reader too."""
    made = zones_archive(folder / "made", patients=12)
    rows = list(csv.DictReader((made / "zones.csv").open(), delimiter=";"))
    lines = [";".join([*rows[0], *SECOND.values()])]
    for number, row in enumerate(rows):
        cells = [{"": "0", "3": ""}.get(row[zone], row[zone]) for zone in CHEST]
        lines.append(";".join([*row.values(), *change(number, cells)]))
    write_text(made / "zones.csv", "\n".join(lines) + "\n")
    data = {"columns": {"zones": list(CHEST), "second": SECOND}, "classes": {}}
    return Study(folder / "r", made, made / "zones.csv", "zones", "paths", data=data)


def test_the_cohort_holds_both_readers(tmp_path):
    study = with_second_columns(tmp_path)
    study.cohort()
    study.audit()
    rows = study.rows("cohort")
    said = {"0": "0", "1": "1", "2": "2", "3": "4", "4": "0"}
    assert rows and all(row[f"second_{z}"] == said[row[z]] for row in rows for z in CHEST)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda number, cells: [""] * 6 if number in (4, 7) else cells, r"2 of \d+ .* line 6 "),
        (lambda number, cells: ["7", *cells[1:]] if number == 4 else cells, r"1 of \d+ .* line 6 "),
    ],
)
def test_images_that_the_second_reader_did_not_read_are_counted(tmp_path, spoil, words):
    study = with_second_columns(tmp_path, spoil)
    with pytest.raises(FoldwiseError, match=words):
        study.cohort()


def test_labels_are_mapped_as_the_first_readers():
    rows = [Row(n, {"image": f"{n}.png", "one": "1", "two": two}) for n, two in enumerate("12")]
    table = Table("t.csv", ("image", "one", "two"), tuple(rows))
    found = [Matched((row.get("image"),), (row,), labels=({"label": "1"},)) for row in rows]
    joined, scheme = Joined(found, [], []), ClassScheme({"1": "A", "2": "B"}, ("A", "B"))
    told = with_second(joined, table, {"label": "two"}, scheme)
    assert [one.extra["second_label"] for one in told.matched] == ["A", "B"]
    assert told.extra_columns == ("second_label",)
    with pytest.raises(FoldwiseError, match=r"'labl'.*label"):
        with_second(joined, table, {"labl": "two"}, scheme)
    with pytest.raises(FoldwiseError, match=r"no column 'tow' \(data\.columns\.second\.label\)"):
        with_second(joined, table, {"label": "tow"}, scheme)
    several = replace(joined, label_columns=("label", "other"))
    with pytest.raises(FoldwiseError, match="no column for other"):
        with_second(several, table, {"label": "two"}, scheme)


def predictions(folder, task, kind, rows):
    params = make_params(kind=kind, task=task.settings)
    path = folder / "p.csv"
    job = make_job(folder, params, make_images(rows), (rows[:10], rows[10:]), task)
    run_baseline("second_reader", job, path)
    return list(csv.DictReader(path.open()))


def test_as_a_run_it_says_what_the_reader_said(tmp_path):
    rng, rows = np.random.default_rng(3), make_rows(60)
    for row in rows:
        one = rng.integers(0, 4, 2)
        two = np.clip(one + rng.integers(-1, 2, 2), 0, 3)
        row |= {"A": str(one[0]), "B": str(one[1])}
        row |= {"second_A": str(two[0]), "second_B": str(two[1])}
    task = Zones({"zones": ["A", "B"], "mirror": []})
    table = predictions(tmp_path, task, "zones", rows)
    assert {row["predicted_A"] for row in table} == {"0", "1", "2", "3"}
    by_sample = {row["sample"]: row for row in rows}
    pairs = [
        (row[f"label_{z}"], by_sample[row["sample"]][f"second_{z}"]) for row in table for z in "AB"
    ]
    kappa = cohen_kappa_score(*zip(*pairs, strict=True), weights="quadratic")
    assert Measures(task.settings).score(table)["kappa"] == pytest.approx(kappa)


def test_classes_too(tmp_path):
    rows = [row | {"second_label": "C" if row["label"] == "B" else "A"} for row in make_rows(30)]
    task = Classification({"classes": ["A", "B", "C"]})
    table = predictions(tmp_path, task, "classification", rows)
    assert all(row["predicted"] == ("C" if row["label"] == "B" else "A") for row in table)
    assert {row["p_A"] for row in table} == {"0", "1"}


def study_of(folder, kind="zones", **branches):
    data = {"reader": {"zones": "zones", "segmentation": "pairs"}[kind], "root": "x"}
    data |= {"table": {"path": "y.csv"}} | branches.pop("data", {})
    (folder / "mine.yaml").write_text(yaml.safe_dump({"kind": kind, "data": data} | branches))
    return load_study("mine", folder)


def test_who_has_a_second_reader_is_compared_with_him(tmp_path):
    assert baselines_of(study_of(tmp_path)) == ["ridge_pixels"]
    named = study_of(tmp_path, data={"columns": {"second": SECOND}})
    assert baselines_of(named) == ["ridge_pixels", "second_reader"]
    with pytest.raises(FoldwiseError, match=r"second_reader needs .* data\.columns\.second"):
        study_of(tmp_path, report={"baselines": ["second_reader"]})
    with pytest.raises(FoldwiseError, match=r"data\.columns\.second: segmentation studies"):
        study_of(tmp_path, "segmentation", data={"columns": {"second": {"label": "x"}}})
