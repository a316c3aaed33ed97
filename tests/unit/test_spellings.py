"""Ids written in several ways, codes and names that may not leave as they are."""

import pytest
from pydicom import dcmread

from cohorts import ALL, CLASSES, id_map_of, table_of, write_table
from foldwise.cohort.codes import FILMS, MAMMOGRAMS, view_of
from foldwise.cohort.groups import plain_id, spelt_apart
from foldwise.cohort.tables.labels import UNKNOWN, ClassScheme
from foldwise.errors import FoldwiseError
from foldwise.files import is_formula
from usual import conflicts


def write_header(study, number, **values):
    """Change the header of one film; returns the film's path below the root."""
    path = sorted(study.root.rglob("*.dcm"))[number]
    film = dcmread(path)
    for keyword, value in values.items():
        setattr(film, keyword, value)
    film.save_as(path)
    return path.relative_to(study.root).as_posix()


def respell(study, spell):
    """The first patient's id written in another way in one of the films."""
    first = id_map_of(study)[0]
    film = dcmread(study.root / first["file"])
    film.PatientID = spell(first["patient"])
    film.save_as(study.root / first["file"])
    return first["patient"]


@pytest.mark.parametrize("other", ["007", "7.0", "7.00", " 7", "0007"])
def test_what_spreadsheets_make_of_an_id_is_one_id(other):
    assert plain_id(other) == plain_id("7")
    assert spelt_apart(["7", other, "8"]) == {"7": sorted(["7", other])}


@pytest.mark.parametrize(
    "pair", [("7", "70"), ("1.2", "1.20"), ("0", "7"), ("a-7", "a7"), ("", "0")]
)
def test_different_ids_stay_so(pair):
    assert spelt_apart(pair) == {}


@pytest.mark.parametrize(
    "spell", [str.lower, lambda text: f"00{text}", lambda text: f" {text[:3]} {text[3:]}"]
)
def test_ids_that_differ_in_spelling_are_refused_or_resolved_by_rule(study, spell):
    patient = respell(study, spell)
    whole = {row["group"] for row in study.rows("private/id_map") if row["patient"] == patient}
    with pytest.raises(
        FoldwiseError, match=r"1 id of a patient written in several ways \(\d+ imag"
    ) as raised:
        study.cohort(**ALL)
    assert "data.conflicts.spellings" in str(raised.value) and patient not in str(raised.value)
    assert {row["reason"] for row in study.rows("private/stopped")} >= {"two_spellings"}
    alone = len(whole) and len({row["group"] for row in id_map_rows(study, "apart")})
    assert len({row["group"] for row in id_map_rows(study, "same")}) == alone - 1


def id_map_rows(study, rule):
    study.cohort(conflicts=conflicts(spellings=rule, patients="drop"), **ALL)
    return study.rows("private/id_map")


def test_every_patient_with_one_image_is_worth_a_note(study):
    for number in range(len(list(study.root.rglob("*.dcm")))):
        write_header(study, number, PatientID=f"P{number}")
    for folder in study.root.iterdir():
        for extra in sorted(folder.iterdir())[1:]:
            extra.unlink()
    study.cohort(**ALL)
    notes = [row for row in study.rows("findings") if row["reason"] == "one_image_each"]
    assert len(notes) == 1 and notes[0]["kind"] == "note"


@pytest.mark.parametrize("value", ["SMITH", "19130417", "C C", "MLO2", ""])
def test_a_view_that_is_no_term_of_dicom_stays_in_the_archive(study, value):
    # Nor does a coded view stand in for it.
    file = write_header(study, 0, ViewPosition=value, ViewCodeSequence=[])
    flow = study.cohort()
    sample = {row["file"]: row["sample"] for row in study.rows("private/id_map")}[file]
    assert {row["sample"]: row["view"] for row in study.rows("labels")}[sample] == ""
    study.audit()
    assert not value or value not in study.public_text()
    flow = study.cohort(views=("CC", "MLO"), **ALL)
    assert flow["quarantine"] == {"no_view": 1}


def test_terms_of_dicom_and_views_that_the_study_names():
    assert {view_of(f" {term.lower()} ") for term in MAMMOGRAMS | FILMS} == MAMMOGRAMS | FILMS
    assert view_of("lateral") == "" and view_of("lateral", ("LATERAL",)) == "LATERAL"


@pytest.mark.parametrize("name", ["dense\nfatty", "=cmd|' /C calc'!A0", "@SUM(1)", "-2+3", "a\tb"])
def test_class_names_that_break_tables_or_run_in_spreadsheets_are_refused(name):
    with pytest.raises(FoldwiseError, match="cannot be called"):
        ClassScheme.of({"order": ["A", name]})
    assert ClassScheme().outcome(name).kind == UNKNOWN


@pytest.mark.parametrize("name", ["+", "-", "-1", "+1.5e3", "BI-RADS 4", "ER+", "", "3,5"])
def test_signs_and_numbers_are_no_formulas(name):
    assert not is_formula(name)


def test_formulas_of_the_table_are_shown_and_not_run(study):
    rows = table_of(study)
    rows[0]["Classification"] = "=cmd|' /C calc'!A0"
    write_table(study, rows)
    study.cohort(classes=CLASSES, **ALL)
    details = {row["detail"] for row in study.rows("private/findings")}
    assert "'=cmd|' /C calc'!A0" in details and "=cmd|' /C calc'!A0" not in details
    assert "=cmd" not in study.public_text()
