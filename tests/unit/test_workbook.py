"""Tables of labels in .xlsx workbooks: what a cell shows is what is read."""

import datetime
import sys
import zipfile

import openpyxl
import pandas
import pytest

from foldwise.cohort.tables.exclusions import IdList
from foldwise.cohort.tables.table import read_table
from foldwise.errors import FoldwiseError
from usual import table_settings

HEAD = ["AccessionNumber", "Classification", "Date"]


def write(folder, *rows, change=None):
    """A workbook of these rows; `change` may do more to it and its sheet."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    if change:
        change(book, book.active)
    book.save(folder / "labels.xlsx")
    return table_settings(str(folder / "labels.xlsx"))


def cells(table):
    return [list(table.columns), *(list(row.cells.values()) for row in table.rows)]


def test_numbers_dates_and_ids_are_read_as_they_are_shown(tmp_path):
    day = datetime.datetime(2024, 1, 31)
    settings = write(
        tmp_path,
        HEAD,
        ["0095864", 2, day],
        [95864, 2.0, day.replace(hour=8, minute=5)],
        [95864.0, 0.1 + 0.2, datetime.time(8, 5)],
        [" 7\u00a0", True, None],
        [12345678901234, "#N/A", "text"],
    )
    assert cells(read_table(settings))[1:] == [
        ["0095864", "2", "2024-01-31"],
        ["95864", "2", "2024-01-31T08:05:00"],
        ["95864", "0.3", "08:05:00"],
        ["7", "TRUE", ""],
        ["12345678901234", "#N/A", "text"],
    ]


def test_an_id_that_a_format_shows_with_zeros_has_them(tmp_path):
    def zeros(_book, sheet):
        sheet["A2"].number_format = "0000000"
        sheet["A3"].number_format = "0.00"

    table = read_table(write(tmp_path, HEAD, [95864, 1], [95865, 1], change=zeros))
    assert [row.get("AccessionNumber") for row in table.rows] == ["0095864", "95865"]


def test_the_same_cells_come_of_a_workbook_and_of_its_csv(tmp_path):
    """Written by pandas, as a hospital's export is."""
    frame = pandas.DataFrame({"id": ["007", "8"], "label": [1, 2], "note": ["a;b", 'say "x"']})
    frame.to_excel(tmp_path / "labels.xlsx", index=False)
    frame.to_csv(tmp_path / "labels.csv", index=False)
    both = [read_table(table_settings(str(tmp_path / f"labels.{end}"))) for end in ("xlsx", "csv")]
    assert cells(both[0]) == cells(both[1])
    assert [row.line for row in both[0].rows] == [2, 3]


def test_the_first_visible_sheet_is_read_or_the_one_that_is_named(tmp_path):
    def more(book, sheet):
        sheet.sheet_state = "hidden"
        book.create_sheet("Labels").append(["id", "label"])
        book["Labels"].append(["a", 1])
        book.create_sheet("Old").append(["id"])
        book["Old"].append(["b"])

    settings = write(tmp_path, ["hidden"], ["x"], change=more)
    assert cells(read_table(settings)) == [["id", "label"], ["a", "1"]]
    assert cells(read_table(table_settings(settings.path, sheet="Old"))) == [["id"], ["b"]]
    with pytest.raises(FoldwiseError, match=r"data\.table\.sheet.*Did you mean 'Labels'"):
        read_table(table_settings(settings.path, sheet="Lables"))


def test_empty_rows_and_columns_beside_the_table_are_none(tmp_path):
    def far(_book, sheet):
        sheet["F9"].value = " "

    table = read_table(write(tmp_path, [], HEAD, ["1", "2", ""], [], ["3", "4"], change=far))
    assert cells(table) == [HEAD, ["1", "2", ""], ["3", "4", ""]]
    assert [row.line for row in table.rows] == [3, 5]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda _, s: s.merge_cells("A1:B1"), r"1 merged cell, the first at A1:B1.*unmerge"),
        (lambda _, s: s.cell(2, 2, "=1+1"), r"cell B2: a formula without a value.*save it"),
        (lambda _, s: s.cell(2, 2, "#REF!"), r"cell B2 shows the error #REF!"),
        (lambda _, s: s.delete_rows(1, 9), "is empty"),
        (lambda _, s: s.delete_rows(2, 9), "a header and no row"),
        (lambda _, s: s.cell(1, 3, HEAD[0]), "more than once"),
    ],
)
def test_a_sheet_that_shows_nothing_certain_is_told_with_its_place(tmp_path, change, said):
    settings = write(tmp_path, HEAD, ["1", 2, ""], change=change)
    with pytest.raises(FoldwiseError, match=said) as fault:
        read_table(settings)
    assert "labels.xlsx" in str(fault.value)


def test_a_cell_beside_the_table_makes_a_row_that_does_not_fit(tmp_path):
    settings = write(tmp_path, HEAD, ["1", 2, "", "", "beyond"], ["3", 4, ""])
    assert read_table(settings).ragged == (2,)


def test_a_list_of_what_is_left_out_may_be_a_workbook_too(tmp_path):
    listed = write(tmp_path, ["id", "reason"], [3772, "blurred"])
    found = IdList(listed.path, "data.exclusions", reasons=True)
    assert found.find(["003772"]) == ["blurred"]


def test_other_spreadsheets_are_named_with_what_to_do(tmp_path):
    (tmp_path / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0rest")
    with zipfile.ZipFile(tmp_path / "table.ods", "w") as packed:
        packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    with zipfile.ZipFile(tmp_path / "cut.xlsx", "w") as packed:
        packed.writestr("xl/workbook.xml", "<workbook/>")
    for name, said in (
        ("old.xls", "an old .xls or behind a password. Save it as .xlsx"),
        ("table.ods", "an .ods or some other zip file. Save it as .xlsx"),
        ("cut.xlsx", "a workbook that cannot be read"),
    ):
        with pytest.raises(FoldwiseError, match=said):
            read_table(table_settings(str(tmp_path / name)))


def test_only_a_study_with_a_workbook_imports_its_reader(tmp_path, monkeypatch):
    settings = write(tmp_path, HEAD, ["1", 2, ""])
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    (tmp_path / "labels.csv").write_text("id\n1\n")
    assert read_table(table_settings(str(tmp_path / "labels.csv"))).columns == ("id",)
    with pytest.raises(FoldwiseError, match="pip install openpyxl"):
        read_table(settings)
