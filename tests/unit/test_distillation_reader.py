"""Images with texts: both readers agree, faults are findings, texts stay in their file."""

import json

import pytest

from foldwise.cohort.build import CohortSettings, make_cohort
from foldwise.cohort.readers.medpix import Reader as MedpixReader
from foldwise.cohort.readers.text import Reader as TextReader
from foldwise.errors import FoldwiseError
from foldwise.files import read_csv
from foldwise.settings.schema import complete, schema
from made_distillation import TEXT_FAULTS, distillation_archive

PLACES = ["Head", "Thorax", "Abdomen", "Reproductive and Urinary System", "Spine and Muscles"]
HEADS = {"modality": {"order": ["CT", "MR"]}, "location": {"order": PLACES}}
THREE = HEADS | {"modality": {"order": ["CT", "MR", "XR"]}}
TABLE = {
    "columns": {
        "image": "image",
        "patient": "case_id",
        "texts": ["caption"],
        "heads": {"modality": "modality", "location": "location"},
    },
    "table": {"path": "made/pictures.csv", "format": "paths"},
}
LINES = {
    "columns": {"texts": ["Description.Caption"]},
    "table": {"path": "made", "format": "medpix"},
}


def cohort(folder, reader, data, monkeypatch, faults=(), **more):
    monkeypatch.chdir(folder)
    if not (folder / "made").exists():
        distillation_archive(folder / "made", size=32, faults=faults, encoders=False)
    settings = {"root": "made", "heads": HEADS, "max_quarantine": 0.5} | data | more
    out = folder / reader.__module__.rpartition(".")[2]
    flow = make_cohort(
        CohortSettings.of(complete(schema("data"), settings), 1),
        reader(),
        out,
        folder / "private",
        folder / "lists",
        1,
    )
    return flow, out


def table_of(out):
    texts = {row.pop("sample"): row for row in read_csv(out / "private" / "texts.csv")}
    return [
        row | {"text": list(texts[row["sample"]].values())} for row in read_csv(out / "labels.csv")
    ]


def test_both_readers_make_the_same_samples(tmp_path, monkeypatch):
    found = [
        table_of(cohort(tmp_path, reader, data, monkeypatch)[1])
        for reader, data in ((TextReader, TABLE), (MedpixReader, LINES))
    ]
    assert found[0] == found[1]
    lines = (tmp_path / "made" / "descriptions_train.jsonl").read_text().splitlines()
    captions = {json.loads(line)["Description"]["Caption"] for line in lines}
    assert captions <= {row["text"][0] for row in found[0]}
    assert {row["label_modality"] for row in found[0]} == {"CT", "MR"}


def test_texts_stay_in_private_and_are_for_their_owner_alone(tmp_path, monkeypatch):
    _, out = cohort(tmp_path, MedpixReader, LINES, monkeypatch)
    assert (out / "private" / "texts.csv").stat().st_mode & 0o777 == 0o600
    caption = read_csv(out / "private" / "texts.csv")[0]["Description.Caption"]
    others = [path for path in out.rglob("*") if path.is_file() and path.name != "texts.csv"]
    assert not any(caption in path.read_text() for path in others)
    assert set(read_csv(out / "private" / "texts.csv")[0]) == {"sample", "Description.Caption"}


@pytest.mark.parametrize(("reader", "data"), [(TextReader, TABLE), (MedpixReader, LINES)])
def test_each_fault_is_a_finding_and_no_class_is_made_up(reader, data, tmp_path, monkeypatch):
    _, out = cohort(tmp_path, reader, data, monkeypatch, faults=TEXT_FAULTS)
    reasons = [row["reason"] for row in read_csv(out / "findings.csv")]
    expected = {"unknown_class": 2, "no_text": 1, "no_file": 1}
    assert {name: reasons.count(name) for name in expected} == expected
    assert ("no_case" if reader is MedpixReader else "no_patient") in reasons
    whole = {row["label_modality"] for row in read_csv(out / "labels.csv")}
    assert whole == {"CT", "MR"}


def test_an_unknown_label_is_one_rule_for_every_format(tmp_path, monkeypatch):
    """Of the same rows as CSV and as JSON lines: the same samples, the same findings and limit."""
    distillation_archive(tmp_path / "made", size=32, faults=TEXT_FAULTS, encoders=False)
    rows = read_csv(tmp_path / "made" / "pictures.csv")
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "made" / "pictures.jsonl").write_text(lines)
    found, said = [], []
    for table in (TABLE["table"], {"path": "made/pictures.jsonl", "format": "json_lines"}):
        data = TABLE | {"table": table}
        _, out = cohort(tmp_path, TextReader, data, monkeypatch)
        found.append((out / "labels.csv").read_text() + (out / "findings.csv").read_text())
        with pytest.raises(FoldwiseError) as raised:
            cohort(tmp_path, TextReader, data, monkeypatch, max_quarantine=0.001)
        said.append(str(raised.value))
    assert found[0] == found[1] and "unknown_class" in found[0]
    assert said[0] == said[1] and "label that the study's classes do not name: 2" in said[0]


def test_a_name_that_two_files_bear_is_a_finding_not_a_choice(tmp_path, monkeypatch):
    distillation_archive(tmp_path / "made", size=32, encoders=False)
    first = sorted((tmp_path / "made").rglob("*.png"))[0]
    other = first.parent / "again" / first.name
    other.parent.mkdir()
    other.write_bytes(sorted(first.parent.glob("*.png"))[-1].read_bytes())
    _, out = cohort(tmp_path, MedpixReader, LINES, monkeypatch)
    assert [row["reason"] for row in read_csv(out / "findings.csv")] == ["several_files"]


def test_what_stands_for_no_text_is_none(tmp_path, monkeypatch):
    distillation_archive(tmp_path / "made", size=32, encoders=False)
    path = tmp_path / "made" / "pictures.csv"
    rows = path.read_text().replace("Normal appearance", "Normal look", 1)
    first = read_csv(path)[0]["caption"]
    path.write_text(rows.replace(first, "N/A", 1))
    _, out = cohort(tmp_path, TextReader, TABLE, monkeypatch)
    assert "no_text" in [row["reason"] for row in read_csv(out / "findings.csv")]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (TABLE | {"columns": TABLE["columns"] | {"texts": ["captoin"]}}, ["texts", "caption"]),
        (
            TABLE | {"heads": HEADS | {"modality": {"order": ["CT", "MR", "XR"]}}},
            ["XR", "data.heads"],
        ),
        (TABLE | {"table": {"path": "made", "format": "json_lines"}}, ["No table", "made"]),
    ],
)
def test_what_cannot_be_read_is_said(data, words, tmp_path, monkeypatch):
    with pytest.raises(FoldwiseError) as error:
        cohort(tmp_path, TextReader, data, monkeypatch)
    for word in words:
        assert word in str(error.value)


def test_a_split_without_its_other_half_and_a_broken_line_are_named(tmp_path, monkeypatch):
    distillation_archive(tmp_path / "made", size=32, encoders=False)
    lines = tmp_path / "made" / "data_dev.jsonl"
    text = lines.read_text()
    lines.write_text(text[:-20])
    with pytest.raises(FoldwiseError, match=r"data_dev\.jsonl, line \d+.*JSON"):
        cohort(tmp_path, MedpixReader, LINES, monkeypatch)
    lines.unlink()
    with pytest.raises(FoldwiseError, match="split 'dev'"):
        cohort(tmp_path, MedpixReader, LINES, monkeypatch)
