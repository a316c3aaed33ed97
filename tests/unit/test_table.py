"""Label tables as they come: encodings, separators, layouts, and what is wrong with them."""

import csv
import io

import pandas
import pytest

from foldwise.cohort.tables.table import read_table
from foldwise.errors import FoldwiseError
from usual import table_settings

ROWS = [["AccessionNumber", "Classification", "Größe"], ["003772", "2", "ä é"], ["1", "3", ""]]


def write(tmp_path, data, **settings):
    path = tmp_path / "table.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return table_settings(str(path), **settings)


def joined(separator, rows=ROWS):
    return "\n".join(separator.join(row) for row in rows) + "\n"


def cells(table):
    return [list(table.columns)] + [[row.get(name) for name in table.columns] for row in table.rows]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "windows-1252", "utf-16"])
def test_encodings_and_separators_are_found(tmp_path, separator, encoding):
    settings = write(tmp_path, joined(separator).encode(encoding))
    assert cells(read_table(settings)) == ROWS


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_ends_and_lines_in_the_file(tmp_path, newline):
    text = joined(",").replace("\n", newline).replace("1,3", newline + "1,3")
    table = read_table(write(tmp_path, text))
    assert [row.line for row in table.rows] == [2, 4]


def test_quoted_cells_agree_with_pandas(tmp_path):
    rows = [
        ["image_path", "label", "note"],
        ["a, b.png", "1", 'said "no"'],
        ["c;d.png", "2", "x\ny"],
    ]
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    settings = write(tmp_path, text.getvalue())
    frame = pandas.read_csv(settings.path, dtype=str)
    assert cells(read_table(settings))[1:] == frame.values.tolist() == rows[1:]


def test_excel_writes_its_separator_first(tmp_path):
    assert cells(read_table(write(tmp_path, "sep=;\n" + joined(";")))) == ROWS


def test_empty_columns_at_the_end_are_passed_over(tmp_path):
    table = read_table(write(tmp_path, "a;b;;\n1;2;;\n;;;\n3;4;;\n"))
    assert cells(table) == [["a", "b"], ["1", "2"], ["3", "4"]]


def test_space_around_cells_goes_also_the_spreadsheets(tmp_path):
    table = read_table(write(tmp_path, "a , b\n 1\u00a0, 2 \n"))
    assert cells(table) == [["a", "b"], ["1", "2"]]


def test_rows_that_do_not_fit_are_kept_apart(tmp_path):
    table = read_table(write(tmp_path, "a,b\n1,2\n3\n4,5,6\n"))
    assert [row.line for row in table.rows] == [2]
    assert table.ragged == (3, 4)


def test_a_single_column_is_a_table(tmp_path):
    assert cells(read_table(write(tmp_path, "id\n7\n8\n"))) == [["id"], ["7"], ["8"]]


def test_latin_1_bytes_that_windows_lacks_do_not_split_lines(tmp_path):
    table = read_table(write(tmp_path, b"a,b\n1,x\x85y\x81\n"))
    assert table.rows[0].get("b") == "x\x85y\x81"


def test_a_quote_that_swallows_the_table_is_named(tmp_path):
    long = "\n".join(f"{n},{'x' * 4000}" for n in range(60))
    with pytest.raises(FoldwiseError, match=r"table\.csv, line \d+: quotes do not match"):
        read_table(write(tmp_path, f'"id,text\n{long}\n'))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("a,b\n", "a header and no row"),
        ("a,b,a\n1,2,3\n", "'a' more than once"),
        ("a,,b\n1,2,3\n", "column 2 has no name"),
        (b"PK\x03\x04rest", "is a spreadsheet"),
        (b"a,b\n1,\x00\n", "zero bytes"),
        ('a,b\n1,"2\n3,4\n', "quotes do not match"),
    ],
)
def test_what_is_no_table_is_named(tmp_path, data, said):
    with pytest.raises(FoldwiseError, match=said) as raised:
        read_table(write(tmp_path, data))
    assert "table.csv" in str(raised.value)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(FoldwiseError, match=r"No table at .*nowhere\.csv \(data\.table\.path"):
        read_table(table_settings(str(tmp_path / "nowhere.csv")))


def test_a_stated_encoding_that_is_wrong_is_named(tmp_path):
    settings = write(tmp_path, joined(",").encode("latin-1"), encoding="utf-8")
    with pytest.raises(FoldwiseError, match=r"is not utf-8 \(byte \d+\)"):
        read_table(settings)


def test_a_missing_column_names_column_file_choice_and_nearest(tmp_path):
    table = read_table(write(tmp_path, joined(",")))
    with pytest.raises(FoldwiseError) as raised:
        table.need({"label": "Clasification"})
    text = str(raised.value)
    for part in (
        "'Clasification'",
        "table.csv",
        "data.columns.label",
        "'Classification'?",
        "Größe",
    ):
        assert part in text


@pytest.mark.parametrize(
    "first",
    ["003772,2,CC", "p1/CANARY.png,2,CC", "CANARY^ANNA,b,c", "P00417,b,c", "CANARY.dcm,A,x"],
)
def test_a_table_without_a_header_shows_nobodys_row(tmp_path, first):
    table = read_table(write(tmp_path, f"{first}\n{first}\n"))
    with pytest.raises(FoldwiseError, match="looks like a row") as raised:
        table.need({"label": "Classification"})
    assert not [cell for cell in first.split(",") if len(cell) > 2 and cell in str(raised.value)]


def test_a_row_in_place_of_the_header_is_not_shown_where_it_repeats(tmp_path):
    with pytest.raises(FoldwiseError, match="more than once") as raised:
        read_table(write(tmp_path, "003772,003772\n1,2\n"))
    assert "003772" not in str(raised.value)


def test_feature_s_alternates(tmp_path):
    table = read_table(write(tmp_path, "p1/a.png\n0\n\np2/b c.png\n3\n", format="feature_s"))
    assert cells(table) == [["image_path", "label"], ["p1/a.png", "0"], ["p2/b c.png", "3"]]
    assert [row.line for row in table.rows] == [1, 4]


@pytest.mark.parametrize(
    ("text", "said"),
    [("a/1.png\n0\nb/2.png\n", "3 lines"), ("a/1.png\nb/2.png\n0\nc/3.png\n", "line 2")],
)
def test_feature_s_out_of_step_is_named(tmp_path, text, said):
    with pytest.raises(FoldwiseError, match=said):
        read_table(write(tmp_path, text, format="feature_s"))


def test_an_unknown_format_is_named(tmp_path):
    with pytest.raises(FoldwiseError, match="Did you mean 'paths'"):
        read_table(write(tmp_path, "a\n1\n", format="path"))


def test_many_blank_lines_before_the_header_hide_no_separator(tmp_path):
    assert cells(read_table(write(tmp_path, "\n" * 60 + joined(";")))) == ROWS


def test_a_separator_alone_is_an_empty_table(tmp_path):
    with pytest.raises(FoldwiseError, match="is empty"):
        read_table(write(tmp_path, "sep=;\n"))
