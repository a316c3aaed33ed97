"""Lists of ids: exclusions, and parts that files or a column name."""

import pytest

from cohorts import table_of, write_table
from foldwise.cohort.readers.base import Columns
from foldwise.errors import FoldwiseError
from foldwise.files import write_csv


@pytest.mark.parametrize("by", ["accession", "patient", "file"])
def test_exclusions_leave_out_with_their_reason(study, by):
    study.cohort()
    id_map = study.rows("private/id_map")
    one = next(row for row in id_map if row["accession"].startswith("0"))
    identity = one[by].lstrip("0") if by == "accession" else one[by]
    path = study.folder / "exclusions.csv"
    write_csv(path, ["id", "reason"], [{"id": identity, "reason": "implant"}, {"id": "x"}])
    flow = study.cohort(exclusions=str(path))
    gone = [row for row in id_map if row[by] == one[by]]
    assert flow["left_out"] == {"excluded": len(gone)}
    found = study.rows("private/findings")
    assert {row["detail"] for row in found if row["reason"] == "excluded"} == {"implant"}
    assert [row["file"] for row in found if row["reason"] == "unused_exclusion"] == ["x"]


def test_an_exclusion_list_without_its_columns_is_named(study):
    path = study.folder / "exclusions.csv"
    write_csv(path, ["ID", "why"], [{"ID": "1", "why": "x"}])
    with pytest.raises(FoldwiseError, match="no column 'id'"):
        study.cohort(exclusions=str(path))


def test_an_exclusion_list_without_a_header_names_nobody(study):
    accession = table_of(study)[0]["AccessionNumber"]
    path = study.folder / "exclusions.csv"
    path.parent.mkdir(parents=True)
    path.write_text(f"{accession},implant\n{accession},implant\n")
    with pytest.raises(FoldwiseError, match="no column 'id'") as raised:
        study.cohort(exclusions=str(path))
    assert accession not in str(raised.value)


def test_parts_come_from_a_column_in_one_spelling(study):
    rows = table_of(study)
    for row, part in zip(rows, ["Training", "validation", "TEST"] * 99, strict=False):
        row["part"] = part
    write_table(study, rows)
    study.cohort(columns=Columns(split="part"))
    assert {row["split"] for row in study.rows("labels")} == {"train", "val", "holdout"}


def test_a_part_that_is_none_is_named_by_its_line_alone(study):
    rows = [{**row, "part": "train"} for row in table_of(study)]
    rows[0]["part"] = "CANARY"
    write_table(study, rows)
    with pytest.raises(FoldwiseError, match=r"line 2: data\.columns\.split") as raised:
        study.cohort(columns=Columns(split="part"))
    assert "CANARY" not in str(raised.value)


def test_parts_come_from_files(study):
    rows = table_of(study)
    files = []
    for part, own in (("train", rows[4:]), ("val", rows[2:4]), ("test", rows[:2])):
        path = study.folder / f"{part}.csv"
        write_csv(path, ["id"], [{"id": row["AccessionNumber"]} for row in own])
        files.append((part, str(path)))
    study.cohort(splits=tuple(files))
    found = {row["sample"]: row["split"] for row in study.rows("labels")}
    parts = {row["accession"]: found[row["sample"]] for row in study.rows("private/id_map")}
    assert [parts[row["AccessionNumber"]] for row in rows[:5]] == [
        "holdout", "holdout", "val", "val", "train"
    ]  # fmt: skip
